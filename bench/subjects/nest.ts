import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqClient, AsynqModule, Task, TaskHandler } from 'nestjs-asynq';
import { producerOf } from './engine.js';
import { queueName, type Subject, taskType, type WorkerOptions } from './subject.js';

type OnTask = WorkerOptions['onTask'];

/** A provider as a user writes it: found by discovery, called through Nest. */
@Injectable()
class BenchTasks {
  constructor(@Inject('ON_TASK') private readonly onTask: OnTask) {}

  @TaskHandler(taskType)
  async run(task: Task): Promise<void> {
    this.onTask(() => task.payload);
  }
}

/** The full path of a Nest app: module, dependency injection, discovery, decorated handler. */
export const nest: Subject = {
  async openProducer(redis) {
    @Module({ imports: [AsynqModule.forRoot({ redis, server: false })] })
    class ProducerModule {}
    const app = await NestFactory.createApplicationContext(ProducerModule, { logger: false });
    return producerOf(app.get(AsynqClient), () => app.close());
  },

  async startWorker({ redis, concurrency, onTask }) {
    @Module({
      imports: [AsynqModule.forRoot({ redis, server: { concurrency, queues: { [queueName]: 1 } } })],
      providers: [BenchTasks, { provide: 'ON_TASK', useValue: onTask }],
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
