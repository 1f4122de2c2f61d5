import { Injectable, Logger } from '@nestjs/common';
import { Cron, TaskPayload } from 'nestjs-asynq';
import { Settings } from '../settings.js';
import { BackupStore } from './backup-store.service.js';

/** Removes old backups. */
@Injectable()
export class CleanUp {
  readonly #log = new Logger('CleanUp');

  constructor(private readonly store: BackupStore) {}

  /** Runs every hour; the spec and the maximum age come from the settings. */
  @Cron(
    { inject: [Settings], useFactory: ({ cleanUpSpec }: Settings) => cleanUpSpec },
    { payload: { inject: [Settings], useFactory: ({ keepDays }: Settings) => ({ keepDays }) } },
  )
  async removeOldBackups(@TaskPayload('keepDays') keepDays: number): Promise<void> {
    const removed = await this.store.removeOlderThan(keepDays);
    this.#log.log(`${removed.length} backups older than ${keepDays} days removed`);
  }
}
