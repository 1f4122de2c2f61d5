// node bench/command-encoding.mjs (after npm run build): what one command costs Node through ioredis, and over its
// socket with our own writing and reading. Justifies lib/redis/connection/socket-transport.ts, command-encoder.ts and reply-parser.ts.
import { Redis } from 'ioredis';
import { SocketTransport } from '../dist/redis/connection/socket-transport.js';
import { startRedisServer } from '../scripts/redis-server.mjs';

const shapes = [
  { tasks: 1, calls: 40_000, together: 1 },
  { tasks: 1, calls: 40_000, together: 10 },
  { tasks: 30, calls: 8_000, together: 10 },
  { tasks: 500, calls: 800, together: 2 },
];
const clock = { monotonic: () => performance.now(), setTimer: () => ({ cancel() {} }) };
const deps = { place: 'bench', clock, answerLimit: 5_000, onSilence() {}, onReadOnly() {} };

const server = await startRedisServer();
const options = { protocol: 2, enableReadyCheck: false };
const client = new Redis(server.url, options);
const own = new Redis(server.url, options);
// As many elements come back as tasks are sent: what a dequeue answers.
const sha = await client.script(
  'LOAD',
  'local replies = {} for i = 3, #ARGV, 3 do replies[i / 3] = ARGV[i] end return replies',
);
await own.ping();
const pipe = new SocketTransport(own, { ...deps, stream: own.stream });
const senders = {
  ioredis: (args) => client.callBuffer('evalsha', ...args),
  SocketTransport: (args) => pipe.send('evalsha', args),
};
const message = Buffer.alloc(200, 'x');

for (const { tasks, calls, together } of shapes) {
  const args = [sha, 2, 'asynq:{default}:pending', 'asynq:{default}:t:'];
  for (let task = 0; task < tasks; task++)
    args.push('3f0c1d2e-1b5a-4c1e-9a51-0123456789ab', 1_767_225_600_123, message);
  for (const [name, send] of Object.entries(senders)) {
    await round({ send, args, together, calls: calls / 4 });
    const before = process.cpuUsage();
    await round({ send, args, together, calls });
    const { user, system } = process.cpuUsage(before);
    const each = ((user + system) / calls).toFixed(1);
    console.log(`${args.length} arguments, ${together} commands per turn, ${name}: ${each} µs of CPU per command`);
  }
}
client.disconnect();
own.disconnect();
await server.stop();

async function round({ send, args, together, calls }) {
  for (let sent = 0; sent < calls; sent += together) {
    await Promise.all(Array.from({ length: together }, () => send(args)));
  }
}
