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
          // Short so that you can watch it; the default is a minute, and an hour would be reasonable.
          groupGracePeriod: '3s',
          // A user who gets a notification every second still gets a mail.
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
