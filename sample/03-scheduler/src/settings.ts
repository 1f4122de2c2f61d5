import { join } from 'node:path';
import { Injectable } from '@nestjs/common';

/** Settings that differ between environments. Your app would use its ConfigService. */
@Injectable()
export class Settings {
  /** Where backups are written. */
  readonly folder = join(import.meta.dirname, '../out');

  /** How many days they are kept: KEEP_DAYS. */
  readonly keepDays = Number(process.env['KEEP_DAYS'] ?? 30);

  /** When old ones are removed: CLEAN_UP_SPEC. */
  readonly cleanUpSpec = process.env['CLEAN_UP_SPEC'] ?? '@hourly';
}
