// Starts private Redis (or Valkey) servers that never outlive this process. Used by the tests, the benchmarks and the
// samples; plain JavaScript, so that none of them needs a build first.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideRedisServer } from './redis-program.mjs';

export { findRedisServer, provideRedisServer } from './redis-program.mjs';

const dockerImage = 'redis:7-alpine';

// Holds a server on the leash of this process: the pipe to its standard input closes when this process ends, however
// it ends, and then the server is killed. A line tells the server's process id, which may come after lines of the server.
const leash = '"$@" & echo "leashed $!"; cat > /dev/null; kill -9 $! 2> /dev/null; wait';

/**
 * Starts a server of our own on a free port of 127.0.0.1, in a temporary folder, with nothing saved.
 *
 * options.appendonly   true: every write is synced to disk, and survives kill() and restart()
 * options.args         more arguments of redis-server, e.g. ['--requirepass', 'secret']
 * options.port         use this port
 * options.config       text of a configuration file to start from, e.g. a sentinel's
 * options.files        more files of the server's folder: name -> text
 * options.server       what findRedisServer() returned
 */
export async function startRedisServer({
  appendonly = false,
  args = [],
  config,
  files = {},
  port,
  server = provideRedisServer(),
} = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'asynq-redis-'));
  // The program may run as another user inside a container.
  chmodSync(dir, 0o777);
  const written = config === undefined ? files : { ...files, 'server.conf': config };
  for (const [name, text] of Object.entries(written)) writeFileSync(join(dir, name), text);
  const from = config === undefined ? [] : [join(dir, 'server.conf')];
  for (let attempt = 1; ; attempt++) {
    const chosen = port ?? (await freePort());
    const running = new RunningServer({
      server,
      dir,
      port: chosen,
      args: [...from, ...configuration({ dir, port: chosen, appendonly, args })],
    });
    try {
      await running.start();
      return running;
    } catch (error) {
      // Somebody else may have taken the port between our look and the server's.
      if (port === undefined && attempt < 5 && /Address already in use|bind:/.test(String(error))) continue;
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }
}

/** One server; made by startRedisServer. */
class RunningServer {
  #server;
  #args;
  #leash;
  #log = '';
  #exited;

  constructor({ server, dir, port, args }) {
    this.#server = server;
    this.#args = args;
    this.dir = dir;
    this.port = port;
    this.host = '127.0.0.1';
    this.url = `redis://127.0.0.1:${port}`;
    this.pid = undefined;
  }

  /** What the server has printed. */
  get log() {
    return this.#log;
  }

  /** Starts it and waits until it answers. */
  async start() {
    const [program, ...programArgs] = commandLine({
      server: this.#server,
      dir: this.dir,
      port: this.port,
      args: this.#args,
    });
    this.#log = '';
    const child = spawn('/bin/sh', ['-c', leash, 'redis-leash', program, ...programArgs], {
      // A group of its own: Ctrl-C reaches this process only, and the server goes when it does.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#leash = child;
    this.#exited = new Promise((resolve) => child.once('close', resolve));
    child.stdin.on('error', () => {});
    const pid = new Promise((resolve) => {
      child.stdout.on('data', (chunk) => {
        this.#log += chunk;
        const [, leashed] = /^leashed (\d+)\n/m.exec(this.#log) ?? [];
        if (this.pid === undefined && leashed !== undefined) {
          this.pid = Number(leashed);
          resolve();
        }
      });
    });
    child.stderr.on('data', (chunk) => (this.#log += chunk));
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref?.();
    // The handles above must not keep a process alive, but the wait for the first answer must.
    const keepAlive = setInterval(() => {}, 1_000);
    try {
      await pid;
      await this.#answers();
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      clearInterval(keepAlive);
    }
  }

  async #answers() {
    const limit = Date.now() + (this.#server.kind === 'docker' ? 120_000 : 10_000);
    while (!(await isUp(this.port))) {
      if (!isAlive(this.pid)) throw new Error(`The Redis server on port ${this.port} ended:\n${this.#log}`);
      if (Date.now() > limit) throw new Error(`The Redis server on port ${this.port} does not answer:\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Ends it as a crash would, keeping its folder; start() brings it back on the same port. */
  async kill() {
    const child = this.#leash;
    if (child === undefined) return;
    this.#leash = undefined;
    this.pid = undefined;
    child.ref();
    for (const handle of [child.stdin, child.stdout, child.stderr]) handle.ref?.();
    if (this.#server.kind === 'docker') spawnSync('docker', ['kill', containerName(this.port)]);
    child.stdin.end();
    await this.#exited;
  }

  /** kill() and start(). */
  async restart() {
    await this.kill();
    await this.start();
  }

  /** Makes it hang: it accepts connections and says nothing. */
  pause() {
    if (this.#server.kind === 'docker') spawnSync('docker', ['pause', containerName(this.port)]);
    else process.kill(this.pid, 'SIGSTOP');
  }

  /** Ends pause(). */
  resume() {
    if (this.#server.kind === 'docker') spawnSync('docker', ['unpause', containerName(this.port)]);
    else process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it for good and removes its folder. */
  async stop() {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function configuration({ dir, port, appendonly, args }) {
  const base = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--loglevel', 'warning', '--save', ''];
  const durability = appendonly ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  return [...base, ...durability, ...args];
}

function commandLine({ server, dir, port, args }) {
  if (server.kind === 'program') return [server.path, ...args];
  // Only Linux lets a container use the host's network; elsewhere the port is published.
  const network = process.platform === 'linux' ? ['--network', 'host'] : ['-p', `127.0.0.1:${port}:${port}`];
  const open = process.platform === 'linux' ? [] : ['--bind', '0.0.0.0', '--protected-mode', 'no'];
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const run = ['docker', 'run', '--rm', '--name', containerName(port), '--user', user, '-v', `${dir}:${dir}`];
  return [...run, ...network, dockerImage, 'redis-server', ...args, ...open];
}

function containerName(port) {
  return `asynq-redis-${process.pid}-${port}`;
}

/** Whether a server answers on the port: any answer will do, "who are you" included. */
function isUp(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let reply = '';
    const settle = (up) => {
      socket.destroy();
      resolve(up);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (chunk) => {
      reply += chunk;
      if (reply.includes('\r\n')) settle(reply.startsWith('+PONG') || reply.startsWith('-NOAUTH'));
    });
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A free port below 55536, so that a cluster node's second port (10000 higher) exists too. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await canListen(port)) && (await canListen(port + 10_000))) return port;
  }
}

function canListen(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
