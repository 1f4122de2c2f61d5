import { Injectable, Logger } from '@nestjs/common';
import { AsynqClient, Cron } from 'nestjs-asynq';

/** Checks what the app depends on. */
@Injectable()
export class Health {
  readonly #log = new Logger('Health');
  /** The last time at which everything was well. */
  lastGood: Date | undefined;

  constructor(private readonly asynq: AsynqClient) {}

  /** Runs every five minutes. It is not retried, because the next check follows soon and an old result is worthless. */
  @Cron('@every 5m', { maxRetry: 0, timeout: '10s' })
  async check(): Promise<void> {
    await this.asynq.ping();
    this.lastGood = new Date();
    this.#log.log('the queues are reachable');
  }
}
