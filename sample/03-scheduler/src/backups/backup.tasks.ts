import { Injectable, Logger } from '@nestjs/common';
import { AsynqScheduler, Cron, Task } from 'nestjs-asynq';
import { BackupStore } from './backup-store.service.js';

/** The nightly backup. */
@Injectable()
export class Backups {
  readonly #log = new Logger('Backups');

  constructor(
    private readonly store: BackupStore,
    private readonly scheduler: AsynqScheduler,
  ) {}

  /**
   * At two in the morning in Hanoi, once however many replicas run. A night in which none ran is made up for at the next
   * start, and a backup that takes longer than a day is not joined by a second one.
   */
  @Cron('0 2 * * *', {
    timeZone: 'Asia/Ho_Chi_Minh',
    catchUp: 'latest',
    overlap: 'skip',
    timeout: '1h',
    maxRetry: 3,
    retention: '24h',
  })
  async backup(task: Task): Promise<{ readonly path: string }> {
    const path = await this.store.write(`backup-${task.id}`, { schedules: this.scheduler.schedules() });
    this.#log.log(`backup written to ${path}`);
    return { path };
  }
}
