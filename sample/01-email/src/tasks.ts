import { defineTask } from 'nestjs-asynq';

/** What both mails are made from. */
export interface Recipient {
  readonly email: string;
  readonly name: string;
}

/** The mail a new user waits for: before everything else. */
export const welcomeMail = defineTask<Recipient>('email:welcome', { queue: 'critical', maxRetry: 5 });

/** A mail that nobody waits for; enqueued at sign-up, sent a day later. */
export const tipsMail = defineTask<Recipient>('email:tips', { processIn: '24h' });

/** Tells the contact list about a new user. That service is known to stumble. */
export const addContact = defineTask<{ readonly email: string }>('contacts:add', { timeout: '10s', retention: '1h' });
