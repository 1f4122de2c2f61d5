import { inspect } from 'node:util';
import { checkDuration, checkInteger, checkNames } from '../model/options/check.js';
import type { Duration } from '../model/time/duration.js';
import type { EnqueuedTask } from './enqueued-tasks.js';
import { type Difference, differencesOf } from './partial-match.js';

/**
 * What is expected of an enqueued task. Omitted properties may be anything; objects may have fewer properties than the
 * actual ones, and matchers of the test runner (`expect.any(Number)`) may be used anywhere.
 */
export interface ExpectedTask {
  readonly id?: unknown;
  readonly payload?: unknown;
  readonly queue?: unknown;
  readonly state?: unknown;
  /** How long after it was enqueued it runs; 0 for at once. */
  readonly processIn?: Duration | object;
  readonly processAt?: Date | object;
  readonly maxRetry?: unknown;
  readonly timeout?: Duration | object;
  readonly deadline?: Date | object;
  readonly retention?: Duration | object;
  readonly unique?: Duration | object;
  readonly group?: unknown;
  readonly headers?: unknown;
  readonly instance?: unknown;
  /** How many such tasks there are, exactly. Default: at least one. */
  readonly count?: number;
}

const names: readonly (keyof ExpectedTask)[] = [
  'id',
  'payload',
  'queue',
  'state',
  'processIn',
  'processAt',
  'maxRetry',
  'timeout',
  'deadline',
  'retention',
  'unique',
  'group',
  'headers',
  'instance',
  'count',
];
const durations: readonly (keyof ExpectedTask)[] = ['processIn', 'timeout', 'retention', 'unique'];
const maxShown = 3;

/** What was found, and both ways to say that it should have been otherwise. */
export interface ExpectationResult {
  readonly matches: boolean;
  /** Why it does not match, for people. */
  readonly expected: () => string;
  /** Why it should not have matched, for people. */
  readonly unexpected: () => string;
}

/**
 * Compares what was enqueued with what is expected.
 *
 * @throws InvalidOptionError when the expectation itself is invalid.
 */
export function judgeEnqueued(
  all: readonly EnqueuedTask[],
  { type, expected }: { readonly type: string; readonly expected: ExpectedTask },
): ExpectationResult {
  const { count, wanted } = readExpectation(expected);
  const candidates = all
    .filter((task) => task.type === type)
    .map((task) => ({ task, differences: differencesOf(wanted, facetsOf(task)) }));
  const found = candidates.filter(({ differences }) => differences.length === 0);
  const subject = `${count === undefined ? 'a task' : `exactly ${tasks(count)}`} of type "${type}"${details(wanted)}`;
  return {
    matches: count === undefined ? found.length > 0 : found.length === count,
    expected: () => {
      const nearest = candidates
        .filter(({ differences }) => differences.length > 0)
        .sort((a, b) => a.differences.length - b.differences.length);
      const head = `Expected ${subject}to have been enqueued`;
      const paragraphs = [head];
      if (found.length > 0) paragraphs.push(showFound(found));
      if (nearest.length > 0) paragraphs.push(showNearest(nearest));
      if (candidates.length === 0) paragraphs.push(showOthers(all, type));
      return paragraphs.join('\n\n');
    },
    unexpected: () =>
      `Expected no ${subject.replace(/^an? |^exactly /, '')}to have been enqueued\n\n` + showFound(found),
  };
}

function readExpectation(expected: ExpectedTask): {
  readonly count: number | undefined;
  readonly wanted: Readonly<Record<string, unknown>>;
} {
  checkNames({ path: 'expected:', value: expected }, names);
  const { count, ...rest } = expected;
  const wanted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    const isDuration = durations.includes(name as keyof ExpectedTask) && typeof value !== 'object';
    wanted[name] = isDuration ? checkDuration({ path: `expected: ${name}`, value }) : value;
  }
  return {
    count: count === undefined ? undefined : checkInteger({ path: 'expected: count', value: count }, { min: 0 }),
    wanted,
  };
}

function facetsOf(task: EnqueuedTask): Readonly<Record<string, unknown>> {
  return { ...task, processIn: task.processAt.getTime() - task.enqueuedAt.getTime() };
}

function details(wanted: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(wanted).map(([name, value]) => `\n  ${name}: ${show(value)}`);
  return lines.length === 0 ? ' ' : ` with${lines.join('')}\n`;
}

interface Candidate {
  readonly task: EnqueuedTask;
  readonly differences: readonly Difference[];
}

function showFound(found: readonly Candidate[]): string {
  const lines = found.slice(0, maxShown).map(({ task }) => `\n  ${showTask(task)}`);
  const rest = found.length - lines.length;
  const more = rest > 0 ? `\n  and ${rest} more` : '';
  return `But there ${found.length === 1 ? 'is one' : `are ${found.length}`}:${lines.join('')}${more}`;
}

function showNearest(nearest: readonly Candidate[]): string {
  const shown = nearest.slice(0, maxShown).map(({ task, differences }) => {
    const lines = differences.map(
      ({ path, expected, actual }) => `\n    ${path}: expected ${show(expected)}, got ${show(actual)}`,
    );
    return `  ${showTask(task)}${lines.join('')}`;
  });
  const rest = nearest.length - shown.length;
  return `The nearest of that type:\n${shown.join('\n')}${rest > 0 ? `\n  and ${rest} more` : ''}`;
}

function showOthers(all: readonly EnqueuedTask[], type: string): string {
  const counts = new Map<string, number>();
  for (const task of all) if (task.type !== type) counts.set(task.type, (counts.get(task.type) ?? 0) + 1);
  if (counts.size === 0) return 'Nothing else was enqueued';
  const others = [...counts].map(([other, count]) => `${other} (${count})`);
  return `Other types that were enqueued: ${others.join(', ')}`;
}

function showTask({ id, queue, state, payload }: EnqueuedTask): string {
  return `${id} in queue '${queue}' (${state}): ${show(payload)}`;
}

function tasks(count: number): string {
  return count === 1 ? 'one task' : `${count} tasks`;
}

function show(value: unknown): string {
  // An asymmetric matcher says what it is for.
  const text = (value as { readonly toAsymmetricMatcher?: unknown } | null | undefined)?.toAsymmetricMatcher;
  if (typeof text === 'function') return String(Reflect.apply(text, value, []));
  return inspect(value, { depth: 4, breakLength: 100, maxArrayLength: 10, maxStringLength: 200 });
}
