import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqClient, AsynqModule, AsynqServer, type Task, TaskHandler, TaskMux } from '../../lib/index.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { watchLeaks } from '../support/leak-check.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { aGate } from '../support/until.js';

describe('redis: memory:', () => {
  it('is shared by the client and the server of one module', async () => {
    const handled = aGate<unknown>();
    @Injectable()
    class Orders {
      @TaskHandler('order:pay')
      pay(task: Task) {
        handled.open(task.payload);
      }
    }
    @Module({ imports: [AsynqModule.forRoot({ redis: 'memory:', logger: silentLogger })], providers: [Orders] })
    class AppModule {}
    const leaks = watchLeaks();
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    await app.get(AsynqClient).enqueue('order:pay', { order: 42 });
    expect(await handled.opened).toEqual({ order: 42 });
    await app.close();
    await leaks.expectNone();
  });

  it('connects a separate client and server by its name', async () => {
    const redis = `memory:${uniqueQueue('plain')}`;
    const handled = aGate<unknown>();
    const client = new AsynqClient({ redis });
    const server = new AsynqServer({ redis });
    await server.start(new TaskMux().handle('order:pay', async (task) => handled.open(task.payload)));
    await client.enqueue('order:pay', { order: 42 });
    expect(await handled.opened).toEqual({ order: 42 });
    await client.ping();
    await server.shutdown();
    await client.close();
  });

  it('lets the process end when a client that was used is not closed', async () => {
    const leaks = watchLeaks();
    const client = new AsynqClient({ redis: 'memory:', logger: new RecordingLogger() });
    await client.enqueue('order:pay', { order: 42 });
    await leaks.expectNone();
    await client.close();
  });

  it('is refused by the module when it is invalid, in an error that names the module', async () => {
    @Module({ imports: [AsynqModule.forRoot({ redis: 'memory://host' })] })
    class AppModule {}
    await expect(
      NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false }),
    ).rejects.toThrow("AsynqModule: redis must be 'memory:' or 'memory:NAME'");
  });
});
