import { type Job, type JobsOptions, Queue, Worker } from 'bullmq';
import { queueName, type Subject, taskType } from './subject.js';

// BullMQ as fast as its documentation lets it be: nothing is kept of what has ended, so that neither side stores more
// than the other; the events stream, which cannot be switched off, is kept as short as it goes; no metrics, no
// telemetry, one queue, one worker with the concurrency of the case.
const jobOptions: JobsOptions = { removeOnComplete: true, removeOnFail: true };
const streams = { events: { maxLen: 1 } };

export const bullmq: Subject = {
  async openProducer(redis) {
    const queue = new Queue(queueName, { connection: connectionOf(redis), streams, defaultJobOptions: jobOptions });
    await queue.waitUntilReady();
    return {
      enqueue: (payload) => queue.add(taskType, payload),
      enqueueMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name: taskType, data }))),
      close: () => queue.close(),
    };
  },

  async startWorker({ redis, concurrency, onTask }) {
    const connection = { ...connectionOf(redis), maxRetriesPerRequest: null };
    const worker = new Worker(queueName, async (job: Job) => onTask(() => job.data), { connection, concurrency });
    await worker.waitUntilReady();
    return { close: () => worker.close() };
  },
};

function connectionOf(redis: string): { host: string; port: number } {
  const { hostname, port } = new URL(redis);
  return { host: hostname, port: Number(port) };
}
