import { Injectable } from '@nestjs/common';

/** A mail that was sent. */
export interface SentMail {
  /** The task's id: a mail that is sent twice is still one mail. */
  readonly id: string;
  readonly userId: string;
  readonly text: string;
}

/** Simulates a mail service; keeps the mails it is given. */
@Injectable()
export class Outbox {
  readonly #mails = new Map<string, SentMail>();

  put(mail: SentMail): void {
    this.#mails.set(mail.id, mail);
  }

  get mails(): readonly SentMail[] {
    return [...this.#mails.values()];
  }
}
