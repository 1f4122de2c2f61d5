import { setTimeout as sleep } from 'node:timers/promises';
import { LongRunning } from './long-running.js';
import { measurePickup } from './measure-pickup.js';
import type { Request } from './orders.js';
import { type ProducerOptions, queueNames, type Subject } from './subject.js';

/** Carries out what one subject's process is told. */
export class CarryOut {
  readonly #running: LongRunning;

  constructor(private readonly subject: Subject) {
    this.#running = new LongRunning(subject);
  }

  /** Rates are in tasks a second, times in milliseconds. */
  async run(request: Request): Promise<readonly number[]> {
    const { subject } = this;
    switch (request.kind) {
      case 'enqueue':
        return [await measureEnqueue(subject, request)];
      case 'enqueue-many':
        return [await measureEnqueueMany(subject, request)];
      case 'process':
        return [await measureProcess(subject, request)];
      case 'pickup':
        return await measurePickup(subject, request);
      case 'round-trip':
        return [await measureRoundTrip(subject, request)];
      case 'fill':
        return [await fill(subject, request)];
      case 'start':
        await this.#running.start(request);
        return [];
      case 'progress':
        return this.#running.progress();
      case 'stop':
        await this.#running.stop();
        return [];
    }
  }
}

type Of<K extends Request['kind']> = Extract<Request, { kind: K }>;

/** A payload of so many bytes as JSON. */
function payloadOf(bytes = 120): object {
  return { userId: 42, template: 'welcome', text: 'x'.repeat(bytes - 45) };
}

async function measureEnqueue(subject: Subject, request: Of<'enqueue'>): Promise<number> {
  const { redis, tasks, callers, bytes } = request;
  const producer = await subject.openProducer(redis);
  const payload = payloadOf(bytes);
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

async function measureEnqueueMany(subject: Subject, request: Of<'enqueue-many'>): Promise<number> {
  const { redis, tasks, batch, bytes } = request;
  const producer = await subject.openProducer(redis);
  const payload = payloadOf(bytes);
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

async function fill(subject: Subject, { redis, tasks, bytes, queues, dueAt }: Of<'fill'>): Promise<number> {
  const producer = await subject.openProducer(redis);
  const payload = payloadOf(bytes);
  // A call has about a megabyte at most.
  const batch = Math.max(1, Math.min(1_000, Math.floor(1_000_000 / (bytes ?? 120))));
  for (const queue of queueNames(queues)) {
    const options: ProducerOptions = { queue, dueAt };
    for (let left = Math.ceil(tasks / (queues ?? 1)); left > 0; left -= batch) {
      await producer.enqueueMany(
        Array.from({ length: Math.min(left, batch) }, () => payload),
        options,
      );
    }
  }
  await producer.close();
  return tasks;
}

async function measureProcess(subject: Subject, request: Of<'process'>): Promise<number> {
  const { redis, tasks, warmUp, concurrency, handlerMs = 0, extras, queues, reads = false } = request;
  collectGarbage();
  let handled = 0;
  let start = 0;
  let rate = 0;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const count = (): void => {
    handled++;
    if (handled === warmUp) start = performance.now();
    if (handled !== warmUp + tasks) return;
    rate = rateOf(tasks, start);
    finish();
  };
  const onTask = (readPayload: () => unknown): void | Promise<unknown> => {
    if (reads) readPayload();
    if (handlerMs === 0) return count();
    return sleep(handlerMs).then(count);
  };
  if (warmUp === 0) start = performance.now();
  const worker = await subject.startWorker({ redis, concurrency, extras, queues: queueNames(queues), onTask });
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
  const worker = await subject.startWorker({ redis, concurrency, queues: queueNames(), onTask });
  const producer = await subject.openProducer(redis);
  const payload = payloadOf();
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

function rateOf(tasks: number, start: number): number {
  return (tasks / (performance.now() - start)) * 1_000;
}

function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
