import { Injectable, Logger } from '@nestjs/common';
import { AsynqClient, Cron } from 'nestjs-asynq';

/** Looks after what the app depends on. */
@Injectable()
export class Health {
  readonly #log = new Logger('Health');
  /** When everything was well the last time. */
  lastGood: Date | undefined;

  constructor(private readonly asynq: AsynqClient) {}

  /** Every five minutes. No retry: the next check is near, and an old one is worth nothing. */
  @Cron('@every 5m', { maxRetry: 0, timeout: '10s' })
  async check(): Promise<void> {
    await this.asynq.ping();
    this.lastGood = new Date();
    this.#log.log('the queues are there');
  }
}
