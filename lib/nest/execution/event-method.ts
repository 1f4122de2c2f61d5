import type { EngineEvents } from '../../engine/engine-events.js';
import type { ThrottledLogger } from '../../engine/lifecycle/throttled-logger.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { EventDefinition } from '../discovery/event.explorer.js';
import { isMadePerTask, makeHost, type MadeHost } from './per-task-host.js';

/** The listener that tells a method; a failure of the method is logged and goes no further. */
export function bindEvent(
  definition: EventDefinition,
  logger: ThrottledLogger,
): (event: EngineEvents[EventDefinition['event']]) => void {
  const { host, method, location } = definition;
  const tell = async (event: object): Promise<void> => {
    const instance = isMadePerTask(host)
      ? (await makeHost(host, event)).instance
      : (host.instance as MadeHost['instance']);
    await instance[method]?.(event);
  };
  return (event) => {
    tell(event).catch((error: unknown) => {
      const text = `${location} failed on "${definition.event}": ${describeError(error)}`;
      logger.error(text, { kind: `${location} failed` });
    });
  };
}
