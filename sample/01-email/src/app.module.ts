import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { AsynqModule } from 'nestjs-asynq';
import { ContactList } from './contacts/contact-list.service.js';
import { ContactTasks } from './contacts/contact.tasks.js';
import { MailTasks } from './mail/mail.tasks.js';
import { MAIL_FOLDER, Mailer } from './mail/mailer.service.js';
import { SignupController } from './signup/signup.controller.js';
import { TaskLog } from './task-log.js';

@Module({
  imports: [
    AsynqModule.forRootAsync({
      useFactory: () => ({
        redis: process.env['REDIS_URL'] ?? 'redis://localhost:6379',
        server: {
          concurrency: 10,
          // Of ten tasks taken while both queues are full, about eight come from `critical`.
          queues: { critical: 4, default: 1 },
          // Short so that you can watch the retries; the default starts at 15 seconds and grows.
          retryDelay: () => '1s',
        },
      }),
    }),
  ],
  controllers: [SignupController],
  providers: [
    { provide: MAIL_FOLDER, useValue: join(import.meta.dirname, '../out') },
    Mailer,
    MailTasks,
    ContactList,
    ContactTasks,
    TaskLog,
  ],
})
export class AppModule {}
