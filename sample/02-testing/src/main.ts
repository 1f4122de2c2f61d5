import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { Payments } from './payments.js';
import { Signup } from './signup.js';

const app = await NestFactory.createApplicationContext(AppModule);
app.enableShutdownHooks();
await app.get(Signup).register('grace@example.com');
await app.get(Payments).pay('order-1', 1_999);
