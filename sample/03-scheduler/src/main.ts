import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqScheduler } from 'nestjs-asynq';
import { AppModule } from './app.module.js';

const log = new Logger('Sample');

const app = await NestFactory.create(AppModule, { logger: ['log', 'warn', 'error', 'fatal'] });
// SIGTERM and Ctrl-C close the app: the ticks stop first, then handlers may finish.
app.enableShutdownHooks();
await listen(Number(process.env['PORT'] ?? 3000));

const { port } = app.getHttpServer().address() as AddressInfo;
const url = `http://localhost:${port}`;
const headers = { 'content-type': 'application/json' };

for (const { id, spec, next } of app.get(AsynqScheduler).schedules()) {
  log.log(`${id} (${spec}) ticks next at ${next?.toISOString()}`);
}
const body = JSON.stringify({ spec: '*/5 * * * * *', text: 'Stretch your legs' });
const response = await fetch(`${url}/reminders`, { method: 'POST', headers, body });
const { id } = (await response.json()) as { id: string };
log.log(`added a reminder for every fifth second; remove it with: curl -X DELETE ${url}/reminders/${id}`);
log.log(`run the backup now with: curl -X POST ${url}/schedules/Backups.backup/run`);

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
