import { defineTask } from 'nestjs-asynq';

/** Payload of both mails. */
export interface Recipient {
  readonly email: string;
  readonly name: string;
}

/** The mail that a new user is waiting for; it goes before everything else. */
export const welcomeMail = defineTask<Recipient>('email:welcome', { queue: 'critical', maxRetry: 5 });

/** A mail that nobody is waiting for; enqueued at sign-up, sent a day later. */
export const tipsMail = defineTask<Recipient>('email:tips', { processIn: '24h' });

/** Adds a new user to the contact list, whose service is unreliable. */
export const addContact = defineTask<{ readonly email: string }>('contacts:add', { timeout: '10s', retention: '1h' });
