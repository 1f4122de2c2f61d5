import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqClient, AsynqModule, AsynqServer, TaskHandler } from '../../lib/index.js';
import { aGate, until } from '../support/until.js';
import { aQueue, cleanUp, NestLines, options } from './support.js';

afterEach(cleanUp);

/** An application that listens, and runs a task that ends when it is told. */
async function aListeningApp() {
  const [running, finish] = [aGate(), aGate()];
  @Injectable()
  class Holding {
    @TaskHandler('hold')
    async hold() {
      running.open();
      await finish.opened;
    }
  }
  @Module({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Holding] })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: new NestLines() });
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as ReturnType<typeof createServer>).address() as AddressInfo;
  await app.get(AsynqClient).enqueue('hold');
  await running.opened;
  return { app, port, finish: finish.open };
}

/** Whether somebody else may listen on a port. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const outcome = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  await new Promise((resolve) => server.close(resolve));
  return outcome;
}

describe('the port of an application whose handlers are drained', () => {
  const { NODE_ENV: before } = process.env;
  afterEach(() => {
    process.env['NODE_ENV'] = before;
  });

  it('is free in development, so that a restarted application can listen', async () => {
    const { app, port, finish } = await aListeningApp();
    let isClosed = false;
    const closed = app.close().then(() => (isClosed = true));
    await until('the port is free', () => isFree(port));
    expect(isClosed).toBe(false);
    finish();
    await closed;
  });

  it('is kept in production until stop hooks have run, as in Nest', async () => {
    process.env['NODE_ENV'] = 'production';
    const { app, port, finish } = await aListeningApp();
    const closed = app.close();
    await until('it drains', () => app.get(AsynqServer).status !== 'active');
    expect(await isFree(port)).toBe(false);
    finish();
    await closed;
    expect(await isFree(port)).toBe(true);
  });
});
