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
   * Runs at two in the morning in Hanoi, once however many replicas run. If none ran that night, the backup is caught
   * up at the next start. No second backup starts while one is still running.
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
