import { checkText, type Given, refuse } from '../options/check.js';

/** The queue of tasks that name none (C-14). */
export const defaultQueue = 'default';

/**
 * A queue's name, exactly as given: letter case, spaces and braces count. Refused are a blank name, one that is not
 * valid Unicode, and one that begins with `}`: the queue's keys would not share a cluster slot.
 *
 * @throws InvalidOptionError
 */
export function checkQueueName(given: Given): string {
  const name = checkText(given);
  return name.startsWith('}') ? refuse(given, 'a queue name that does not begin with }') : name;
}
