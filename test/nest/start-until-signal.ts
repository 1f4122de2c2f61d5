// An application in a process of its own that waits for a Redis which is not there; says on its output what happens.
import { writeSync } from 'node:fs';
import { Module, type OnApplicationBootstrap } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqModule } from '../../lib/index.js';

const [waiting = '', hooks = ''] = process.argv.slice(2);

@Module({ imports: [AsynqModule.forRoot({ redis: 'redis://127.0.0.1:1', waitForRedis: waiting === 'waits' })] })
class AppModule implements OnApplicationBootstrap {
  onApplicationBootstrap(): void {
    writeSync(1, 'bootstrapped\n');
  }
}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  if (hooks === 'hooks') app.enableShutdownHooks();
  await app.init();
}
void main();
