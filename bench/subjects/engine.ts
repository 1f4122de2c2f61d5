import { AsynqClient, AsynqServer } from 'nestjs-asynq/core';
import {
  type Producer,
  type ProducerOptions,
  queueName,
  type RunningWorker,
  type Subject,
  taskType,
  type WorkerOptions,
} from './subject.js';

/** The engine without Nest: what `nestjs-asynq/core` gives to plain Node. */
export const engine: Subject = {
  async openProducer(redis) {
    return producerOf(new AsynqClient({ redis }));
  },

  async startWorker({ redis, concurrency, queues, onTask }: WorkerOptions): Promise<RunningWorker> {
    const server = new AsynqServer({ redis, concurrency, queues: weightsOf(queues) });
    await server.start(async (task) => onTask(() => task.payload));
    return { close: () => server.shutdown() };
  },
};

/** Queues of equal weight. */
export function weightsOf(queues: readonly string[]): Record<string, number> {
  return Object.fromEntries(queues.map((queue) => [queue, 1]));
}

/** A client as a producer; used for the Nest path too. */
export function producerOf(client: AsynqClient, close = () => client.close()): Producer {
  const optionsOf = ({ queue = queueName, dueAt }: ProducerOptions = {}) => ({
    queue,
    ...(dueAt === undefined ? {} : { processAt: new Date(dueAt) }),
  });
  return {
    enqueue: (payload, options) => client.enqueue(taskType, payload, optionsOf(options)),
    enqueueMany: async (payloads, options) => {
      const taskOptions = optionsOf(options);
      const results = await client.enqueueMany(payloads.map((payload) => [taskType, payload, taskOptions]));
      for (const result of results) if (result.status === 'rejected') throw result.error;
    },
    close,
  };
}
