import { Injectable } from '@nestjs/common';
import { type Task, TaskHandler } from 'nestjs-asynq';
import { SendTips, SendWelcome } from './tasks.js';

/** Passes mails to a mail server; the sample only logs them. */
@Injectable()
export class Mailer {
  async send(mail: { readonly to: string; readonly subject: string }): Promise<void> {
    await Promise.resolve();
    console.log(`${mail.subject} -> ${mail.to}`);
  }
}

/** Sends the mails of a sign-up. */
@Injectable()
export class MailTasks {
  constructor(private readonly mailer: Mailer) {}

  @TaskHandler(SendWelcome)
  async welcome({ payload }: Task<{ email: string }>): Promise<void> {
    await this.mailer.send({ to: payload.email, subject: 'Welcome' });
  }

  @TaskHandler(SendTips)
  async tips({ payload }: Task<{ email: string }>): Promise<void> {
    await this.mailer.send({ to: payload.email, subject: 'Three tips' });
  }
}
