// What a task costs inside Redis, by batch size and by the order in which tasks end:
//   npm run build && node bench/micro/scripts.mjs
// Justifies dequeue.lua, enqueue-pending.lua and include/leave-active.lua under lib/redis/scripts.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { systemClock } from '../../dist/engine/system-clock.js';
import { createRedisConnection } from '../../dist/redis/connection/create-connection.js';
import { RedisBroker } from '../../dist/redis/redis-broker.js';
import { startRedisServer } from '../../scripts/redis-server.mjs';

const shapes = [
  { batch: 1, running: 1, order: 'oldest first' },
  { batch: 10, running: 10, order: 'oldest first' },
  { batch: 50, running: 50, order: 'oldest first' },
  { batch: 200, running: 200, order: 'oldest first' },
  { batch: 50, running: 100, order: 'oldest first' },
  { batch: 50, running: 500, order: 'oldest first' },
  { batch: 20, running: 100, order: 'any' },
  { batch: 100, running: 500, order: 'any' },
];
const total = 30_000;
const queue = 'bench';
const payload = Buffer.alloc(120, 'x');

const server = await startRedisServer();
const redis = new Redis(server.url, { protocol: 2 });
const broker = new RedisBroker(createRedisConnection(server.url, { clock: systemClock }));

/** Microseconds a task that scripts took since the last call. */
async function insideRedis() {
  const stats = await redis.info('commandstats');
  await redis.config('RESETSTAT');
  return (Number(/cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(stats)?.[1] ?? 0) / total).toFixed(2);
}

function requestOf(id) {
  const message = {
    type: 'email:send',
    payload,
    id,
    queue,
    maxRetry: 25,
    retried: 0,
    errorMessage: '',
    timeoutSeconds: 1_800,
    deadlineSeconds: 0,
    uniqueKey: '',
    lastFailedAtSeconds: 0,
    retentionSeconds: 0,
    completedAtSeconds: 0,
    group: '',
    headers: undefined,
    unknownFields: undefined,
  };
  return { message, place: { kind: 'pending' }, uniqueForSeconds: 0, idIsGenerated: true };
}

const owner = 'host:12345:11111111-1111-1111-1111-111111111111';

async function dequeue(limit) {
  const now = Date.now();
  return (await broker.work.dequeue({ queue, limit, now, leaseUntil: now + 30_000, owner })).messages;
}

async function settleDone(messages) {
  const now = Date.now();
  const run = { takenAt: now, leaseUntil: now + 30_000, leaseAsked: now + 30_000 };
  const settlements = messages.map((message) => ({ ...run, settlement: { kind: 'done', message } }));
  await broker.work.settle({ queue, owner, settlements, now });
}

async function measure({ batch, running, order }) {
  await redis.flushall();
  const requests = Array.from({ length: total }, () => requestOf(randomUUID()));
  // Warm up: the scripts are loaded, the queue is registered.
  await broker.enqueue.enqueue([requestOf('first')], Date.now());
  await settleDone(await dequeue(1));
  await insideRedis();
  for (let at = 0; at < total; at += batch) await broker.enqueue.enqueue(requests.slice(at, at + batch), Date.now());
  const enqueue = await insideRedis();
  const held = await dequeue(running);
  while (held.length > 0) {
    const ended =
      order === 'any'
        ? Array.from({ length: Math.min(batch, held.length) }, () =>
            held.splice(Math.floor(Math.random() * held.length), 1),
          ).flat()
        : held.splice(0, batch);
    const settled = settleDone(ended);
    held.push(...(await dequeue(batch)));
    await settled;
  }
  return { batch, running, 'ends in order': order, 'enqueue us': enqueue, 'dequeue + done us': await insideRedis() };
}

const rows = [];
for (const shape of shapes) rows.push(await measure(shape));
console.table(rows);
await broker.close();
redis.disconnect();
await server.stop();
