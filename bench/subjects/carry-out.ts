import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from './orders.js';
import { queueName, type Subject } from './subject.js';

// 120 bytes as JSON.
const payload = { userId: 42, template: 'welcome', text: 'x'.repeat(75) };

/** Measures one subject. Rates are in tasks a second, times in milliseconds. */
export async function carryOut(subject: Subject, request: Request): Promise<number> {
  switch (request.kind) {
    case 'enqueue':
      return await measureEnqueue(subject, request);
    case 'enqueue-many':
      return await measureEnqueueMany(subject, request);
    case 'process':
      return await measureProcess(subject, request);
    case 'pickup':
      return await measurePickup(subject, request);
    case 'round-trip':
      return await measureRoundTrip(subject, request);
    case 'fill':
      return await fill(subject, request);
  }
}

type Of<K extends Request['kind']> = Extract<Request, { kind: K }>;

async function measureEnqueue(subject: Subject, { redis, tasks, callers }: Of<'enqueue'>): Promise<number> {
  const producer = await subject.openProducer(redis);
  await enqueueFrom(callers, { tasks: Math.ceil(tasks / 5), enqueue: () => producer.enqueue(payload) });
  collectGarbage();
  const start = performance.now();
  await enqueueFrom(callers, { tasks, enqueue: () => producer.enqueue(payload) });
  const rate = rateOf(tasks, start);
  await producer.close();
  return rate;
}

async function enqueueFrom(
  callers: number,
  { tasks, enqueue }: { tasks: number; enqueue: () => Promise<unknown> },
): Promise<void> {
  let left = tasks;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await enqueue();
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

async function measureEnqueueMany(subject: Subject, { redis, tasks, batch }: Of<'enqueue-many'>): Promise<number> {
  const producer = await subject.openProducer(redis);
  const payloads = Array.from({ length: batch }, () => payload);
  const rounds = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += batch) await producer.enqueueMany(payloads);
  };
  await rounds(tasks / 5);
  collectGarbage();
  const start = performance.now();
  await rounds(tasks);
  const rate = rateOf(Math.ceil(tasks / batch) * batch, start);
  await producer.close();
  return rate;
}

async function fill(subject: Subject, { redis, tasks }: Of<'fill'>): Promise<number> {
  const producer = await subject.openProducer(redis);
  for (let left = tasks; left > 0; left -= 1_000) {
    await producer.enqueueMany(Array.from({ length: Math.min(left, 1_000) }, () => payload));
  }
  await producer.close();
  return tasks;
}

async function measureProcess(subject: Subject, { redis, tasks, warmUp, concurrency }: Of<'process'>): Promise<number> {
  collectGarbage();
  let handled = 0;
  let start = 0;
  let rate = 0;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const onTask = (): void => {
    handled++;
    if (handled === warmUp) start = performance.now();
    if (handled !== warmUp + tasks) return;
    rate = rateOf(tasks, start);
    finish();
  };
  const worker = await subject.startWorker({ redis, concurrency, onTask });
  await finished;
  await worker.close();
  return rate;
}

async function measureRoundTrip(subject: Subject, request: Of<'round-trip'>): Promise<number> {
  const { redis, tasks, warmUp, batch, concurrency } = request;
  let left = 0;
  let finish = (): void => {};
  const onTask = (): void => {
    left--;
    if (left === 0) finish();
  };
  const worker = await subject.startWorker({ redis, concurrency, onTask });
  const producer = await subject.openProducer(redis);
  const payloads = Array.from({ length: batch }, () => payload);
  const run = async (count: number): Promise<void> => {
    left = Math.ceil(count / batch) * batch;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    for (let sent = 0; sent < count; sent += batch) await producer.enqueueMany(payloads);
    await finished;
  };
  await run(warmUp);
  collectGarbage();
  const start = performance.now();
  await run(tasks);
  const rate = rateOf(tasks, start);
  await producer.close();
  await worker.close();
  return rate;
}

async function measurePickup(subject: Subject, { redis, tasks, gapMs, goProgram }: Of<'pickup'>): Promise<number> {
  const waits: number[] = [];
  let arrived = (): void => {};
  const onTask = (readPayload: () => unknown): void => {
    const now = microsNow();
    waits.push((now - (readPayload() as { sentAtMicros: number }).sentAtMicros) / 1_000);
    arrived();
  };
  const worker = await subject.startWorker({ redis, concurrency: 10, onTask });
  if (goProgram === undefined) {
    const producer = await subject.openProducer(redis);
    for (let sent = 0; sent < tasks; sent++) {
      await sleep(gapMs);
      const arrival = new Promise<void>((resolve) => (arrived = resolve));
      await producer.enqueue({ sentAtMicros: microsNow() });
      await arrival;
    }
    await producer.close();
  } else {
    const all = new Promise<void>((resolve) => (arrived = () => waits.length === tasks && resolve()));
    const options = ['-redis', redis, '-queue', queueName, '-n', String(tasks), '-gap', `${gapMs}ms`];
    const program = spawn(goProgram, ['pickup', ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = (await once(program, 'exit')) as [number];
    if (code !== 0) throw new Error(`the Go producer ended with status ${code}`);
    await all;
  }
  await worker.close();
  return medianOf(waits);
}

/** The middle of the values; of two middles, their mean. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

function microsNow(): number {
  return (performance.timeOrigin + performance.now()) * 1_000;
}

function rateOf(tasks: number, start: number): number {
  return (tasks / (performance.now() - start)) * 1_000;
}

function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
