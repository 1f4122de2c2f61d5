import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const log = new Logger('Sample');

const app = await NestFactory.create(AppModule, { logger: ['log', 'warn', 'error', 'fatal'] });
// SIGTERM and Ctrl-C close the app: aggregations and handlers may finish, everything else goes back to its queue or
// group.
app.enableShutdownHooks();
await listen(Number(process.env['PORT'] ?? 3000));

const { port } = app.getHttpServer().address() as AddressInfo;
const headers = { 'content-type': 'application/json' };
const url = `http://localhost:${port}/notifications`;

for (const text of ['Grace likes your photo', 'Joan follows you', 'Grace wrote a comment']) {
  await fetch(url, { method: 'POST', headers, body: JSON.stringify({ userId: 'ada', text }) });
}
const body = JSON.stringify({ userId: 'ada', text: 'Hello' });
log.log(`one mail comes three seconds after the last notification; send more with`);
log.log(`curl -H 'content-type: application/json' -d '${body}' ${url}`);

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
