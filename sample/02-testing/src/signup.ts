import { Injectable } from '@nestjs/common';
import { AsynqClient } from 'nestjs-asynq';
import { SendTips, SendWelcome } from './tasks.js';

/** Signs users up: says thank you at once, and leaves the mails to tasks. */
@Injectable()
export class Signup {
  constructor(private readonly asynq: AsynqClient) {}

  async register(email: string): Promise<void> {
    await this.asynq.enqueue(SendWelcome, { email });
    await this.asynq.enqueue(SendTips, { email }, { processIn: '24h' });
  }
}
