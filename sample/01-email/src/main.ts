import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const log = new Logger('Sample');

const app = await NestFactory.create(AppModule, { logger: ['log', 'warn', 'error', 'fatal'] });
// SIGTERM and Ctrl-C close the app: handlers may finish, everything else goes back to its queue.
app.enableShutdownHooks();
await listen(Number(process.env['PORT'] ?? 3000));

const { port } = app.getHttpServer().address() as AddressInfo;
const body = JSON.stringify({ email: 'ada@example.com', name: 'Ada' });
const headers = { 'content-type': 'application/json' };
const curl = `curl -H 'content-type: application/json' -d '${body}' http://localhost:${port}/signup`;

log.log(`signing up a first user: ${curl}`);
const response = await fetch(`http://localhost:${port}/signup`, { method: 'POST', headers, body });
log.log(`POST /signup answered ${response.status}; sign up more with the same line, stop with Ctrl-C`);

/** Listens on a free port when the preferred one is taken. */
async function listen(wanted: number): Promise<void> {
  try {
    await app.listen(wanted);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    log.warn(`port ${wanted} is taken, using a free one (set PORT to choose)`);
    await app.listen(0);
  }
}
