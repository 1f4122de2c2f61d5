import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { medianOf, percentileOf } from '../support/statistics.js';
import type { Request } from './orders.js';
import { queueName, queueNames, type Subject } from './subject.js';

/** Median and 99th percentile of the time from the enqueue to the handler of an idle worker, in milliseconds. */
export async function measurePickup(
  subject: Subject,
  { redis, tasks, gapMs, goProgram }: Extract<Request, { kind: 'pickup' }>,
): Promise<readonly [number, number]> {
  const waits: number[] = [];
  let arrived = (): void => {};
  const onTask = (readPayload: () => unknown): void => {
    const now = microsNow();
    waits.push((now - (readPayload() as { sentAtMicros: number }).sentAtMicros) / 1_000);
    arrived();
  };
  const worker = await subject.startWorker({ redis, concurrency: 10, queues: queueNames(), onTask });
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
  return [medianOf(waits), percentileOf(waits, 0.99)];
}

function microsNow(): number {
  return (performance.timeOrigin + performance.now()) * 1_000;
}
