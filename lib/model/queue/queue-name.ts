import { checkText, type Given, refuse } from '../options/check.js';

/** The queue of tasks that do not name one (C-14). */
export const defaultQueue = 'default';

/**
 * Checks a queue name; letter case, spaces and braces count. It refuses a blank name, one that is not valid Unicode,
 * and one that begins with `}`, since the queue's keys would not share a cluster slot.
 *
 * @throws InvalidOptionError
 */
export function checkQueueName(given: Given): string {
  const name = checkText(given);
  return name.startsWith('}') ? refuse(given, 'a queue name that does not begin with }') : name;
}
