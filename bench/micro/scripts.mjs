// What a task costs inside Redis, by batch size, by the order in which tasks end and by how many servers run them:
//   npm run build && node bench/micro/scripts.mjs
// Justifies dequeue.lua, enqueue-pending.lua and include/leave-active.lua under lib/redis/scripts.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { systemClock } from '../../dist/engine/system-clock.js';
import { createRedisConnection } from '../../dist/redis/connection/create-connection.js';
import { RedisBroker } from '../../dist/redis/redis-broker.js';
import { startRedisServer } from '../../scripts/redis-server.mjs';

// `running` counts the tasks of one server. Servers settle a batch and fetch the next in random order.
const shapes = [
  { servers: 1, batch: 1, running: 1, order: 'oldest first' },
  { servers: 1, batch: 10, running: 10, order: 'oldest first' },
  { servers: 1, batch: 50, running: 50, order: 'oldest first' },
  { servers: 1, batch: 200, running: 200, order: 'oldest first' },
  { servers: 1, batch: 50, running: 100, order: 'oldest first' },
  { servers: 1, batch: 50, running: 500, order: 'oldest first' },
  { servers: 1, batch: 20, running: 100, order: 'any' },
  { servers: 1, batch: 100, running: 500, order: 'any' },
  { servers: 10, batch: 2, running: 10, order: 'oldest first' },
  { servers: 10, batch: 5, running: 20, order: 'oldest first' },
  { servers: 10, batch: 10, running: 100, order: 'oldest first' },
  { servers: 10, batch: 50, running: 100, order: 'oldest first' },
  { servers: 10, batch: 100, running: 500, order: 'oldest first' },
  { servers: 10, batch: 5, running: 20, order: 'any' },
  { servers: 10, batch: 10, running: 100, order: 'any' },
  { servers: 10, batch: 50, running: 100, order: 'any' },
  { servers: 10, batch: 100, running: 500, order: 'any' },
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

async function measure({ servers, batch, running, order }) {
  await redis.flushall();
  const requests = Array.from({ length: total }, () => requestOf(randomUUID()));
  // Warm up: the scripts are loaded, the queue is registered.
  await broker.enqueue.enqueue([requestOf('first')], Date.now());
  await settleDone(await dequeue(1));
  await insideRedis();
  for (let at = 0; at < total; at += batch) await broker.enqueue.enqueue(requests.slice(at, at + batch), Date.now());
  const enqueue = await insideRedis();
  const held = [];
  for (let i = 0; i < servers; i += 1) held.push([]);
  for (let count = 0; count < running; count += batch) for (const tasks of held) tasks.push(...(await dequeue(batch)));
  for (let busy = held; busy.length > 0; busy = held.filter((tasks) => tasks.length > 0)) {
    const tasks = busy[Math.floor(Math.random() * busy.length)];
    const settled = settleDone(takeEnded(tasks, batch, order));
    tasks.push(...(await dequeue(batch)));
    await settled;
  }
  return {
    servers,
    batch,
    running,
    'ends in order': order,
    'enqueue us': enqueue,
    'dequeue + done us': await insideRedis(),
  };
}

function takeEnded(tasks, batch, order) {
  if (order === 'oldest first') return tasks.splice(0, batch);
  const ended = [];
  while (ended.length < batch && tasks.length > 0) {
    ended.push(...tasks.splice(Math.floor(Math.random() * tasks.length), 1));
  }
  return ended;
}

const rows = [];
for (const shape of shapes) rows.push(await measure(shape));
console.table(rows);
await broker.close();
redis.disconnect();
await server.stop();
