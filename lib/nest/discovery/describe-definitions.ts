import type { DecoratedMethod } from './decorated-methods.js';
import type { Definitions } from './explore.js';

/** What a process does with the definitions of one instance. */
export interface InstanceDuties {
  readonly name: string;
  readonly mayHandle: boolean;
  readonly maySchedule: boolean;
}

/**
 * Describes in one line, by class, what this process runs for an instance. A handler whose metadata was dropped by a
 * decorator of the application is visibly missing. Returns `undefined` if there is nothing.
 */
export function describeDefinitions(definitions: Definitions, duties: InstanceDuties): string | undefined {
  const { name: instance, mayHandle, maySchedule } = duties;
  const { handlers, crons, periodicTasks, aggregators } = definitions;
  const kinds = {
    handler: mayHandle ? handlers.filter(({ decorator }) => decorator === '@TaskHandler') : [],
    schedule: maySchedule ? crons.filter(({ isEnabled }) => isEnabled).map(({ handler }) => handler) : [],
    'provider of periodic tasks': maySchedule ? periodicTasks : [],
    aggregator: mayHandle ? aggregators : [],
  } satisfies Record<string, readonly (Pick<DecoratedMethod<unknown>, 'type'> & { readonly instance: string })[]>;
  const byClass = new Map<string, Map<string, number>>();
  for (const [kind, found] of Object.entries(kinds)) {
    for (const definition of found) {
      if (definition.instance !== instance) continue;
      const counts = byClass.get(definition.type.name) ?? new Map<string, number>();
      byClass.set(definition.type.name, counts.set(kind, (counts.get(kind) ?? 0) + 1));
    }
  }
  if (byClass.size === 0) return undefined;
  const classes = [...byClass].map(([name, counts]) => `${name} (${[...counts].map(counted).join(', ')})`);
  return `Found ${classes.join(', ')}`;
}

function counted([kind, count]: readonly [string, number]): string {
  if (count === 1) return `1 ${kind}`;
  return `${count} ${kind.includes(' of ') ? kind.replace(' of ', 's of ') : `${kind}s`}`;
}
