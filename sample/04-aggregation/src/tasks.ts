import { defineTask } from 'nestjs-asynq';

/** Something that a user is to be told about, but not at once. */
export interface Notification {
  readonly text: string;
}

/** Waits in its user's group until the group becomes one mail; it has no handler of its own. */
export const notification = defineTask<Notification>('notification');

/** One mail with everything that a user was to be told. */
export interface Digest {
  readonly userId: string;
  readonly lines: readonly string[];
}

export const digestMail = defineTask<Digest>('email:digest', { maxRetry: 5 });

/** What the names of the groups begin with; the user's id follows. */
export const digestGroup = 'digest:';
