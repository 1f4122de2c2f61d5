import { Injectable, Logger, UsePipes, ValidationPipe } from '@nestjs/common';
import { CurrentTask, Task, TaskHandler, TaskPayload } from 'nestjs-asynq';
import { type Recipient, tipsMail, welcomeMail } from '../tasks.js';
import { MailDto } from './mail.dto.js';
import { Mailer } from './mailer.service.js';

/** Sends mails. */
@Injectable()
export class MailTasks {
  readonly #log = new Logger('Mail');

  constructor(private readonly mailer: Mailer) {}

  /** Nest's pipes work here as in a controller: a payload that is not a valid MailDto never reaches the code below. */
  @TaskHandler(welcomeMail)
  @UsePipes(new ValidationPipe({ transform: true }))
  async welcome(@TaskPayload() mail: MailDto, @CurrentTask() task: Task): Promise<void> {
    const path = await this.mailer.send({
      id: `welcome-${task.id}`,
      to: mail.email,
      subject: `Welcome, ${mail.name}!`,
      text: `Hello ${mail.name},\n\nyour account is ready.\n`,
      signal: task.signal,
    });
    this.#log.log(`welcome mail to ${mail.email} written to ${path}`);
  }

  @TaskHandler(tipsMail)
  async tips(task: Task<Recipient>): Promise<void> {
    const { email, name } = task.payload;
    const path = await this.mailer.send({
      id: `tips-${task.id}`,
      to: email,
      subject: 'Five things to try first',
      text: `Hello ${name},\n\nnow that you have looked around, try these.\n`,
      signal: task.signal,
    });
    this.#log.log(`tips mail to ${email} written to ${path}`);
  }
}
