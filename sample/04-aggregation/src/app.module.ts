import { Module } from '@nestjs/common';
import { AsynqModule } from 'nestjs-asynq';
import { DigestTasks } from './digest/digest.tasks.js';
import { Outbox } from './digest/outbox.service.js';
import { NotificationController } from './notifications/notification.controller.js';

@Module({
  imports: [
    AsynqModule.forRootAsync({
      useFactory: () => ({
        redis: process.env['REDIS_URL'] ?? 'redis://localhost:6379',
        server: {
          // So short only so that it can be watched; a minute is the default, and an hour would not be odd.
          groupGracePeriod: '3s',
          // Somebody who is told something every second is written to nevertheless.
          groupMaxDelay: '15s',
          groupMaxSize: 10,
        },
      }),
    }),
  ],
  controllers: [NotificationController],
  providers: [DigestTasks, Outbox],
})
export class AppModule {}
