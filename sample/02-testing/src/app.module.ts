import { Module } from '@nestjs/common';
import { AsynqModule } from 'nestjs-asynq';
import { Backups } from './backups.js';
import { Mailer, MailTasks } from './mails.js';
import { PaymentProvider, Payments } from './payments.js';
import { Signup } from './signup.js';

@Module({
  imports: [
    AsynqModule.forRoot({
      redis: process.env['REDIS_URL'] ?? 'memory:',
      server: { queues: { critical: 6, default: 3 } },
    }),
  ],
  providers: [Signup, MailTasks, Mailer, Payments, PaymentProvider, Backups],
})
export class AppModule {}
