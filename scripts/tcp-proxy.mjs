// Stands between a client and its server, and does to their bytes what a bad network does. Used by the tests and the
// drills; plain JavaScript, so that neither needs a build first.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { freePort } from './redis-server.mjs';

/** Starts a proxy on a free port of 127.0.0.1 that forwards to a port of this machine. */
export async function startTcpProxy(to) {
  const proxy = new TcpProxy({ to, port: await freePort() });
  await proxy.restore();
  return proxy;
}

/** One proxy; made by startTcpProxy. */
class TcpProxy {
  #to;
  #listener = createServer((client) => this.#join(client));
  #links = new Set();

  constructor({ to, port }) {
    this.#to = to;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** What clients have sent since holdRequests() and has not been delivered. */
  get held() {
    return Buffer.concat([...this.#links].flatMap(({ held }) => held));
  }

  goSilent() {
    for (const link of this.#links) link.requests = link.replies = 'dropped';
  }

  holdRequests() {
    for (const link of this.#links) link.requests = 'held';
  }

  dropReplies() {
    for (const link of this.#links) link.replies = 'dropped';
  }

  cut({ held = 'thrown away' } = {}) {
    this.#listener.close();
    for (const link of this.#links) {
      if (held === 'thrown away') link.held = [];
      link.client.destroy();
    }
  }

  async restore() {
    if (this.#listener.listening) return;
    this.#listener.listen(this.port, '127.0.0.1');
    await once(this.#listener, 'listening');
  }

  async deliver() {
    const late = [...this.#links].filter(({ held }) => held.length > 0);
    await Promise.all(
      late.map(({ server, held }) => {
        // The server closes its end when it has read everything, since nothing more will come.
        const ended = new Promise((resolve) => server.once('close', resolve));
        server.end(Buffer.concat(held.splice(0)));
        return ended;
      }),
    );
  }

  async stop() {
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
    await new Promise((resolve) => void this.#listener.close(resolve));
  }

  #join(client) {
    const server = connect(this.#to, '127.0.0.1');
    const link = { client, server, requests: 'forwarded', replies: 'forwarded', held: [] };
    this.#links.add(link);
    client.on('data', (piece) => {
      if (link.requests === 'forwarded') server.write(piece);
      else if (link.requests === 'held') link.held.push(piece);
    });
    server.on('data', (piece) => {
      if (link.replies === 'forwarded') client.write(piece);
    });
    for (const socket of [client, server]) socket.on('error', () => {});
    client.on('close', () => {
      if (link.held.length === 0) server.destroy();
    });
    server.on('close', () => {
      client.destroy();
      this.#links.delete(link);
    });
  }
}
