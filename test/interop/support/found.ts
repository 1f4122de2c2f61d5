import type { Duration } from '../../../lib/model/time/duration.js';
import { until } from '../../support/until.js';

/** Waits until there is something to be found, and gives it. */
export async function found<T>(
  description: string,
  look: () => T | undefined | null | Promise<T | undefined | null>,
  options: { readonly within?: Duration } = {},
): Promise<T> {
  return (await until(description, look, options)) as T;
}
