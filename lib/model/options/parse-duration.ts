import type { Ms } from '../time/duration.js';
import { checkDuration } from './check.js';

/**
 * Reads a duration whose text the compiler does not know, from the environment or a configuration for instance.
 *
 * @returns milliseconds, which every option of the type {@link Duration} takes.
 * @throws InvalidOptionError when the text is not a duration, or is negative.
 * @example
 * AsynqModule.forRoot({ server: { shutdownTimeout: parseDuration(process.env['SHUTDOWN_TIMEOUT'] ?? '8s') } });
 */
export function parseDuration(text: string): Ms {
  return checkDuration({ path: 'parseDuration: text', value: text });
}
