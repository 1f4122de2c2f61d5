import type { AggregatedGroups } from '../../model/broker/presence.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { HandlerConflictError } from '../../model/errors/task-errors.js';
import { checkNames, isBlank } from '../../model/options/check.js';
import { checkQueueName } from '../../model/queue/queue-name.js';
import type { GroupAggregator } from './task-group.js';

/** Which groups an aggregator is for; an omitted part matches all. */
export interface GroupPattern {
  readonly queue?: string | undefined;
  /** A group's name, or a prefix of it. */
  readonly group?: string | undefined;
}

interface Route extends AggregatedGroups {
  readonly aggregator: GroupAggregator;
}

/**
 * Routes a group to its aggregator by its name: the exact name first, then the longest prefix; of two equal ones, the
 * one for the group's queue. Patterns are plain text without wildcards. Groups without an aggregator are left to other
 * servers.
 *
 * @example
 * const groups = new GroupMux()
 *   .handle('digest:', digestMail)
 *   .handle({ queue: 'audit' }, archiveLines);
 * const server = new AsynqServer({ redis, aggregator: groups });
 */
export class GroupMux {
  /** Most specific first, so that the first match wins. */
  #routes: readonly Route[] = [];

  /**
   * Registers an aggregator for every group that matches `pattern`; order does not matter.
   *
   * @throws HandlerConflictError when the pattern is blank or taken, InvalidOptionError when the aggregator is not a
   * function, or the pattern is neither a string nor `{ queue, group }`.
   */
  handle<P = unknown>(pattern: string | GroupPattern, aggregator: GroupAggregator<P>): this {
    const { queue, group } = groupPatternOf(pattern, 'GroupMux: pattern');
    if (typeof aggregator !== 'function') {
      throw new InvalidOptionError({ path: 'GroupMux: aggregator', value: aggregator, allowed: 'a function' });
    }
    const prefix = group ?? '';
    if (this.#routes.some((route) => route.queue === queue && route.prefix === prefix)) {
      throw new HandlerConflictError(`${showGroupPattern({ queue, group })} already have an aggregator`);
    }
    const route: Route = { queue, prefix, aggregator };
    this.#routes = [...this.#routes, route].sort((a, b) => b.prefix.length - a.prefix.length || rank(b) - rank(a));
    return this;
  }

  /** Returns the aggregator for a group; `undefined` if there is none. */
  aggregatorFor({ queue, group }: { readonly queue: string; readonly group: string }): GroupAggregator | undefined {
    return this.#routes.find(
      (route) => (route.queue === undefined || route.queue === queue) && group.startsWith(route.prefix),
    )?.aggregator;
  }

  /** The groups that have an aggregator, as servers publish them. */
  get aggregates(): readonly AggregatedGroups[] {
    return this.#routes;
  }

  /** Whether nothing is registered. */
  get isEmpty(): boolean {
    return this.#routes.length === 0;
  }
}

/**
 * Parses and checks a pattern.
 *
 * @throws HandlerConflictError when a part of it is blank; InvalidOptionError when it is not a pattern.
 */
export function groupPatternOf(pattern: unknown, path: string): GroupPattern {
  const { queue, group } = (typeof pattern === 'string' ? { group: pattern } : checked(pattern, path)) as GroupPattern;
  if (group !== undefined && (typeof group !== 'string' || isBlank(group))) {
    throw new HandlerConflictError(`${path} must not be blank; leave the group out to mean every group`);
  }
  if (queue !== undefined) checkQueueName({ path: `${path}.queue`, value: queue });
  return { queue, group };
}

/** Describes a pattern for messages: `Groups "digest:" of queue "low"`. */
export function showGroupPattern({ queue, group }: GroupPattern): string {
  return `${group === undefined ? 'All groups' : `Groups "${group}"`}${queue === undefined ? '' : ` of queue "${queue}"`}`;
}

function checked(pattern: unknown, path: string): object {
  checkNames({ path, value: pattern }, ['queue', 'group']);
  return pattern as object;
}

function rank({ queue }: Route): number {
  return queue === undefined ? 0 : 1;
}
