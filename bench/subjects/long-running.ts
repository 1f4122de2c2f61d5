import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from './orders.js';
import { queueNames, type RunningWorker, type Subject } from './subject.js';

/** Workers that go on until they are stopped, and what they have done so far. */
export class LongRunning {
  #workers: RunningWorker[] = [];
  #handled = 0;
  #processorTime = process.cpuUsage();

  constructor(private readonly subject: Subject) {}

  async start(request: Extract<Request, { kind: 'start' }>): Promise<void> {
    const { redis, workers, concurrency, handlerMs = 0, queues } = request;
    const count = (): void => void (this.#handled += 1);
    const onTask = (): void | Promise<unknown> => (handlerMs === 0 ? count() : sleep(handlerMs).then(count));
    const options = { redis, concurrency, queues: queueNames(queues), onTask };
    this.#handled = 0;
    this.#processorTime = process.cpuUsage();
    this.#workers = await Promise.all(Array.from({ length: workers }, () => this.subject.startWorker(options)));
  }

  /** Tasks handled, and processor time used since the start in microseconds. */
  progress(): readonly [number, number] {
    const { user, system } = process.cpuUsage(this.#processorTime);
    return [this.#handled, user + system];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    this.#workers = [];
  }
}
