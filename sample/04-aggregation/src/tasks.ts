import { defineTask } from 'nestjs-asynq';

/** A notification that a user need not get at once. */
export interface Notification {
  readonly text: string;
}

/** Waits in its user's group until the group becomes one mail; it has no handler. */
export const notification = defineTask<Notification>('notification');

/** One mail with all notifications of a user. */
export interface Digest {
  readonly userId: string;
  readonly lines: readonly string[];
}

export const digestMail = defineTask<Digest>('email:digest', { maxRetry: 5 });

/** Prefix of the group names; the user's id follows. */
export const digestGroup = 'digest:';
