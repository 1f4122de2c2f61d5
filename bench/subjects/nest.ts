import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqClient, AsynqModule } from 'nestjs-asynq';
import { producerOf, weightsOf } from './engine.js';
import { onTaskToken, providerWith } from './nest-extras.js';
import type { Subject } from './subject.js';

/** The full path of a Nest app: module, dependency injection, discovery, decorated handler. */
export const nest: Subject = {
  async openProducer(redis) {
    @Module({ imports: [AsynqModule.forRoot({ redis, server: false })] })
    class ProducerModule {}
    const app = await NestFactory.createApplicationContext(ProducerModule, { logger: false });
    return producerOf(app.get(AsynqClient), () => app.close());
  },

  async startWorker({ redis, concurrency, queues, extras = 'nothing', onTask }) {
    @Module({
      imports: [AsynqModule.forRoot({ redis, server: { concurrency, queues: weightsOf(queues) } })],
      providers: [providerWith(extras), { provide: onTaskToken, useValue: onTask }],
    })
    class WorkerModule {}
    const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'fatal'] });
    return { close: () => app.close() };
  },
};

/** The same on the broker in memory, which producer and worker share because they name it alike. */
export const embedded: Subject = {
  openProducer: () => nest.openProducer('memory:bench'),
  startWorker: (options) => nest.startWorker({ ...options, redis: 'memory:bench' }),
};
