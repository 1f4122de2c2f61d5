import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../settings.js';

const dayMs = 86_400_000;

/** Backups as files in a folder. */
@Injectable()
export class BackupStore {
  constructor(private readonly settings: Settings) {}

  /** Writes a backup. If a retry writes it again under the same name, it is still one file. */
  async write(name: string, data: unknown): Promise<string> {
    const { folder } = this.settings;
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${name}.json`);
    await writeFile(path, JSON.stringify(data, null, 2));
    return path;
  }

  /** Removes backups older than the given number of days and returns their names. */
  async removeOlderThan(days: number): Promise<readonly string[]> {
    const { folder } = this.settings;
    await mkdir(folder, { recursive: true });
    const removed: string[] = [];
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const { mtimeMs } = await stat(path);
      if (mtimeMs > Date.now() - days * dayMs) continue;
      await rm(path);
      removed.push(name);
    }
    return removed;
  }
}
