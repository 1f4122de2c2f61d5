import type { EnqueueOptions } from '../../../lib/model/task/task-options.js';
import type { GoOptions } from './go-task.js';

/** The same options for both clients; durations and instants in milliseconds. */
export interface OptionSet {
  readonly name: string;
  readonly go: GoOptions;
  readonly ours: EnqueueOptions;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

const deadline = Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000;

const parts: readonly Omit<OptionSet, 'name'>[] = [
  { go: { maxRetry: 3 }, ours: { maxRetry: 3 }, headers: undefined },
  { go: { timeout: 90_000 }, ours: { timeout: '90s' }, headers: undefined },
  { go: { deadline }, ours: { deadline: new Date(deadline) }, headers: undefined },
  { go: { retention: 60_000 }, ours: { retention: '1m' }, headers: undefined },
  { go: { unique: 60_000 }, ours: { unique: '1m' }, headers: undefined },
  { go: { processIn: 1_000 }, ours: { processIn: '1s' }, headers: undefined },
  {
    go: {},
    ours: { headers: { trace: 'abc', 'nest-origin': 'ünï' } },
    headers: { trace: 'abc', 'nest-origin': 'ünï' },
  },
];

/** Every combination of the options that go together, 128 in all. */
export const optionSets: readonly OptionSet[] = Array.from({ length: 2 ** parts.length }, (_, bits) => {
  const chosen = parts.filter((_part, index) => (bits & (1 << index)) !== 0);
  const go: GoOptions = Object.assign({}, ...chosen.map((part) => part.go));
  const ours: EnqueueOptions = Object.assign({}, ...chosen.map((part) => part.ours));
  return {
    name: Object.keys(ours).join('+') || 'none',
    go,
    ours,
    headers: chosen.find(({ headers }) => headers)?.headers,
  };
});

/** When a run that began at `startedAt` must have ended, by the rules that both sides share (S-39 to S-42). */
export function deadlineOf({ go }: OptionSet, startedAt: number): number {
  const timeout = go.timeout ?? (go.deadline === undefined ? 1_800_000 : undefined);
  return Math.min(timeout === undefined ? Infinity : startedAt + timeout, go.deadline ?? Infinity);
}
