import { join } from 'node:path';
import { Injectable } from '@nestjs/common';

/** What differs from one place to another. An app of yours would ask its ConfigService. */
@Injectable()
export class Settings {
  /** Where backups are written. */
  readonly folder = join(import.meta.dirname, '../out');

  /** How long they are kept: KEEP_DAYS. */
  readonly keepDays = Number(process.env['KEEP_DAYS'] ?? 30);

  /** When the old ones are removed: CLEAN_UP_SPEC. */
  readonly cleanUpSpec = process.env['CLEAN_UP_SPEC'] ?? '@hourly';
}
