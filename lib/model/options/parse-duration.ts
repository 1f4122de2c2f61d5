import type { Ms } from '../time/duration.js';
import { checkDuration } from './check.js';

/**
 * Parses a duration whose text the compiler does not know, for example from the environment or a configuration.
 *
 * @returns milliseconds, which every option of type {@link Duration} accepts.
 * @throws InvalidOptionError when the text is not a duration, or is negative.
 * @example
 * AsynqModule.forRoot({ server: { shutdownTimeout: parseDuration(process.env['SHUTDOWN_TIMEOUT'] ?? '8s') } });
 */
export function parseDuration(text: string): Ms {
  return checkDuration({ path: 'parseDuration: text', value: text });
}
