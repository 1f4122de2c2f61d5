import { type Job, type JobsOptions, Queue, Worker } from 'bullmq';
import { queueName, type Subject, taskType } from './subject.js';

// BullMQ as fast as its documentation lets it be: nothing is kept of what has ended, so that neither side stores more
// than the other; the events stream, which cannot be switched off, is kept as short as it goes; no metrics, no
// telemetry, a worker for each queue with the concurrency of the case.
const jobOptions: JobsOptions = { removeOnComplete: true, removeOnFail: true };
const streams = { events: { maxLen: 1 } };

export const bullmq: Subject = {
  async openProducer(redis) {
    const open = new Map<string, Queue>();
    const queueOf = (name = queueName): Queue => {
      const known = open.get(name);
      if (known !== undefined) return known;
      const queue = new Queue(name, { connection: connectionOf(redis), streams, defaultJobOptions: jobOptions });
      open.set(name, queue);
      return queue;
    };
    await queueOf().waitUntilReady();
    return {
      enqueue: (payload, options) => queueOf(options?.queue).add(taskType, payload, delayOf(options?.dueAt)),
      enqueueMany: (payloads, options) =>
        queueOf(options?.queue).addBulk(
          payloads.map((data) => ({ name: taskType, data, opts: delayOf(options?.dueAt) })),
        ),
      close: () => Promise.all([...open.values()].map((queue) => queue.close())),
    };
  },

  async startWorker({ redis, concurrency, queues, onTask }) {
    const connection = { ...connectionOf(redis), maxRetriesPerRequest: null };
    const workers = queues.map(
      (queue) => new Worker(queue, async (job: Job) => await onTask(() => job.data), { connection, concurrency }),
    );
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    return { close: () => Promise.all(workers.map((worker) => worker.close())) };
  },
};

function delayOf(dueAt: number | undefined): JobsOptions {
  return dueAt === undefined ? {} : { delay: Math.max(0, dueAt - Date.now()) };
}

function connectionOf(redis: string): { host: string; port: number } {
  const { hostname, port } = new URL(redis);
  return { host: hostname, port: Number(port) };
}
