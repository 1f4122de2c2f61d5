import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { createTransport } from 'nodemailer';

/** Injection token of the folder that mails are written to. */
export const MAIL_FOLDER = 'MAIL_FOLDER';

export interface Mail {
  /** Name of the file: a mail that is sent twice is still one file. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Aborts sending. */
  readonly signal: AbortSignal;
}

// How long the mail server takes. Increase it (MAIL_DELAY_MS=60000) to see what a shutdown does to running tasks.
const delayMs = Number(process.env['MAIL_DELAY_MS'] ?? 50);

/** Builds real mails and writes them to files instead of sending them. */
@Injectable()
export class Mailer {
  readonly #transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });

  constructor(@Inject(MAIL_FOLDER) private readonly folder: string) {}

  /** Returns the path of the file. */
  async send({ id, to, subject, text, signal }: Mail): Promise<string> {
    await sleep(delayMs, undefined, { signal });
    const { message } = await this.#transport.sendMail({ from: 'hello@shop.example', to, subject, text });
    await mkdir(this.folder, { recursive: true });
    const path = join(this.folder, `${id}.eml`);
    await writeFile(path, message as Buffer);
    return path;
  }
}
