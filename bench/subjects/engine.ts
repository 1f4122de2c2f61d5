import { AsynqClient, AsynqServer } from 'nestjs-asynq/core';
import { type Producer, queueName, type RunningWorker, type Subject, taskType, type WorkerOptions } from './subject.js';

/** The engine without Nest: what `nestjs-asynq/core` gives to plain Node. */
export const engine: Subject = {
  async openProducer(redis) {
    return producerOf(new AsynqClient({ redis }));
  },

  async startWorker({ redis, concurrency, onTask }: WorkerOptions): Promise<RunningWorker> {
    const server = new AsynqServer({ redis, concurrency, queues: { [queueName]: 1 } });
    await server.start(async (task) => {
      onTask(() => task.payload);
    });
    return { close: () => server.shutdown() };
  },
};

/** A client as a producer; used for the Nest path too. */
export function producerOf(client: AsynqClient, close = () => client.close()): Producer {
  return {
    enqueue: (payload) => client.enqueue(taskType, payload, { queue: queueName }),
    enqueueMany: async (payloads) => {
      const results = await client.enqueueMany(payloads.map((payload) => [taskType, payload, { queue: queueName }]));
      for (const result of results) if (result.status === 'rejected') throw result.error;
    },
    close,
  };
}
