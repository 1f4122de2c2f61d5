import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startOwnRedis } from '../support/own-redis.js';
import type { DrillContext } from './drill-context.js';
import { SchedulerProcess } from './scheduler-process.js';

const queue = 'cron';
const spec = '* * * * * *';
const clockOff = 3_000;
const frozenMs = 60_000;
/** From here on every tick counts, however far a clock is off; and so long the slowest is waited for. */
const marginMs = 5_000;
/** Notes of ticks are kept for ten minutes at least. */
const readNotesEvery = 60_000;

/**
 * Five replicas of a scheduler that fires every second; two are killed and started again at random, one is frozen for a
 * minute, one has a clock that is 3 s off. Each tick must become exactly one task.
 */
export async function cronReplicas({ verdict, random, minutes = 5, atEnd }: DrillContext): Promise<void> {
  const server = await startOwnRedis();
  atEnd(() => server.stop());
  const redis = new Redis(server.url);
  atEnd(() => redis.disconnect());

  const off = random() < 0.5 ? -clockOff : clockOff;
  const start = async (clockOff = 0): Promise<SchedulerProcess> =>
    await SchedulerProcess.start({ redis: server.url, queue, clockOff, specs: [spec] });
  const fleet = await Promise.all([start(), start(), start(), start(off), start()]);
  atEnd(() => fleet.forEach((replica) => replica.kill()));
  verdict.tell('replicas', `${fleet.length}, the clock of one ${off / 1_000} s off`);

  const first = Math.ceil((Date.now() + marginMs) / 1_000) * 1_000;
  const last = first + minutes * 60_000 - 1_000;
  const taskOf = new Map<number, string>();
  const isOver = (): boolean => Date.now() > last;

  let kills = 0;
  const killNowAndThen = async (index: number): Promise<void> => {
    while (!isOver()) {
      await pause(1_000 + random() * 10_000);
      fleet[index]?.kill();
      kills++;
      await pause(random() * 4_000);
      fleet[index] = await start();
    }
  };
  const freezeOnce = async (): Promise<void> => {
    await pause(random() * Math.max(0, last - Date.now() - frozenMs));
    fleet[2]?.freeze();
    await pause(frozenMs);
    fleet[2]?.thaw();
  };
  const readNotes = async (): Promise<void> => {
    for (;;) {
      await readTicks(redis, taskOf);
      if (isOver()) return;
      await pause(Math.max(1, Math.min(readNotesEvery, last + 1 - Date.now())));
    }
  };
  await Promise.all([killNowAndThen(0), killNowAndThen(1), freezeOnce(), readNotes()]);
  await pause(2 * marginMs);
  await readTicks(redis, taskOf);
  await Promise.all(fleet.map((replica) => replica.stop()));
  verdict.tell('kills', kills);

  const ids = await redis.lrange(`asynq:{${queue}}:pending`, 0, -1);
  await readTicks(redis, taskOf);
  const tickOf = new Map([...taskOf].map(([tick, id]) => [id, tick]));
  const wanted = Array.from({ length: (last - first) / 1_000 + 1 }, (_, index) => first + index * 1_000);
  const inQueue = new Set(ids);
  const missing = wanted.filter((tick) => !inQueue.has(taskOf.get(tick) ?? ''));
  // A task that no tick knows, or a second one with its id, is one too many.
  const surplus = ids.filter((id) => !tickOf.has(id)).length + ids.length - inQueue.size + (taskOf.size - tickOf.size);
  const counted = ids.filter((id) => (tickOf.get(id) ?? 0) >= first && (tickOf.get(id) ?? 0) <= last).length;
  verdict.expect('ticks', { figure: wanted.length, bound: `${minutes} min, one per second`, holds: wanted.length > 0 });
  verdict.expect('tasks of these ticks', {
    figure: counted,
    bound: 'as many as ticks',
    holds: counted === wanted.length,
  });
  verdict.expect('ticks without a task', { figure: missing.length, bound: 'none', holds: missing.length === 0 });
  verdict.expect('surplus tasks', { figure: surplus, bound: 'none', holds: surplus === 0 });
}

/** Which task each tick became, as the schedulers have noted it; notes that are read once are kept. */
async function readTicks(redis: Redis, taskOf: Map<number, string>): Promise<void> {
  const [key] = await redis.keys(`asynq:{${queue}}:x:cron:*`);
  if (key === undefined) return;
  for (const [field, note] of Object.entries(await redis.hgetall(key))) {
    const [word, id = ''] = note.split(' ');
    if (/^\d+$/.test(field) && word === 'ENQUEUED') taskOf.set(Number(field), id);
  }
}
