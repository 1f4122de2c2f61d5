import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import { root } from './own-redis.js';

/** Options of a server whose slow log keeps every command of a millisecond or more. */
export const slowLogArgs = ['--slowlog-log-slower-than', '1000', '--slowlog-max-len', '1000000'] as const;

/** The slow calls of one command or script. */
export interface SlowCalls {
  readonly count: number;
  /** How long the slowest took, and one in the middle of the slow ones, milliseconds. */
  readonly slowestMs: number;
  readonly middleMs: number;
}

/** What a slow log tells. */
export interface SlowReport {
  /** By command, or by the file of the script; without what the machine stood still meanwhile. */
  readonly calls: ReadonlyMap<string, SlowCalls>;
  /** The longest that a command of constant time took, milliseconds: the server did not run meanwhile. */
  readonly standstillMs: number;
}

type Entry = readonly [id: number, time: number, micros: number, args: readonly string[]];
type Sources = Readonly<Record<string, { readonly sha: string; readonly source: string }>>;

/** What takes a few microseconds, whatever is stored. */
const constantTime: ReadonlySet<string> = new Set(
  'type exists get set hget hmget hset hdel hexists zcard zscore llen pttl expire pexpire publish sismember'.split(' '),
);

/** Reads the slow log of a server and calls the library's scripts by their files. */
export class SlowLog {
  private constructor(
    private readonly redis: Redis,
    private readonly scripts: Sources,
  ) {}

  static async of(redis: Redis): Promise<SlowLog> {
    const url = pathToFileURL(join(root, 'dist/redis/generated/script-sources.js')).href;
    const { scriptSources } = (await import(url)) as { readonly scriptSources: Sources };
    return new SlowLog(redis, scriptSources);
  }

  /** Forgets what was slow so far. */
  async reset(): Promise<void> {
    await this.redis.call('SLOWLOG', 'RESET');
  }

  /** What was slow since the last reset. */
  async read(): Promise<SlowReport> {
    const entries = (await this.redis.call('SLOWLOG', 'GET', 1_000_000)) as readonly Entry[];
    const times = new Map<string, number[]>();
    let [standstillMs, stoodStill] = [0, 0];
    // The commands of a script come before the script itself.
    for (const [, , micros, args] of entries.toReversed()) {
      const name = this.#nameOf(args);
      if (constantTime.has(name)) {
        stoodStill += micros;
        standstillMs = Math.max(standstillMs, micros / 1_000);
        continue;
      }
      const isScript = name.endsWith('.lua');
      const took = isScript ? micros - stoodStill : micros;
      if (isScript) stoodStill = 0;
      const known = times.get(name);
      if (known === undefined) times.set(name, [took]);
      else known.push(took);
    }
    return { calls: new Map([...times].map(([name, micros]) => [name, summaryOf(micros)])), standstillMs };
  }

  #nameOf([command = '', script = '']: readonly string[]): string {
    const name = command.toLowerCase();
    if (name !== 'eval' && name !== 'evalsha') return name;
    // The log shortens long arguments.
    const found = Object.entries(this.scripts).find(
      ([, { sha, source }]) => sha === script || (name === 'eval' && source.startsWith(script.slice(0, 100))),
    );
    return found === undefined ? `${name} of another's script` : found[0];
  }
}

function summaryOf(micros: readonly number[]): SlowCalls {
  const sorted = micros.toSorted((one, other) => one - other).map((time) => time / 1_000);
  const count = sorted.length;
  return { count, slowestMs: sorted[count - 1] ?? 0, middleMs: sorted[Math.floor(count / 2)] ?? 0 };
}
