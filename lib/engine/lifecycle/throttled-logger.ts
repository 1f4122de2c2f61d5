import { describeError } from '../../model/retry/describe-error.js';
import { type Clock, setBackgroundTimer, type Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import { type Logger, type LogLevel, silentLogger } from '../logger.js';
import { callUser } from '../../model/options/user-callback.js';

export interface ThrottledLoggerDeps {
  /** The user's; what it throws, or rejects with, goes no further. */
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer' | 'backgroundTimers'>;
}

/** What a line is throttled by. */
export interface LineKind {
  /**
   * Lines of one kind are written once in 30 s. It says what happened, never to which task, so that ids do not defeat
   * the throttle: `late-outcome`, or `archived email:send Error: timeout`.
   */
  readonly kind: string;
  /** How many events the line tells of; 1 unless given. */
  readonly count?: number;
}

interface Window {
  readonly since: Ms;
  readonly level: Level;
  /** Events whose lines were not written. */
  swallowed: number;
  /** The last line that was not written, and how many events it tells of. */
  message: string;
  count: number;
}

type Level = Exclude<LogLevel, 'fatal'>;

const gap = ms(30_000);
/** Kinds with user data in them must not fill memory. */
const maxKinds = 1_000;

/**
 * The logger of the engine. Lines that may come thousands of times a second are given a kind: the first of a kind is
 * written at once, those that follow within 30 s are counted, and the last of them is written with the count at the end
 * of that time. Lines without a kind are written as they come.
 *
 * @example
 * logger.warn(`The outcome of task "${id}" came too late`, { kind: 'late-outcome' });
 */
export class ThrottledLogger implements Logger {
  /** By kind, the oldest first. */
  readonly #windows = new Map<string, Window>();
  #timer: Timer | undefined;
  #isStopped = false;
  #hasFailed = false;

  constructor(private readonly deps: ThrottledLoggerDeps) {}

  /** Whether nobody hears what is written. */
  get isSilent(): boolean {
    return this.deps.logger === silentLogger;
  }

  debug(message: string, line?: LineKind): void {
    this.#log('debug', { message, line });
  }

  info(message: string, line?: LineKind): void {
    this.#log('info', { message, line });
  }

  warn(message: string, line?: LineKind): void {
    this.#log('warn', { message, line });
  }

  error(message: string, line?: LineKind): void {
    this.#log('error', { message, line });
  }

  /** Begins to write counts again, after {@link stop}. */
  start(): void {
    this.#isStopped = false;
  }

  /** Writes what was counted so far and leaves no timer behind. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const kind of this.#windows.keys()) this.#close(kind);
  }

  #log(level: Level, { message, line }: { readonly message: string; readonly line: LineKind | undefined }): void {
    if (line === undefined) return this.#write(level, message);
    const { kind, count = 1 } = line;
    const now = this.deps.clock.monotonic();
    const open = this.#windows.get(kind);
    if (open !== undefined) {
      if (now - open.since < gap) {
        open.swallowed += count;
        open.message = message;
        open.count = count;
        return this.#arm(open);
      }
      this.#close(kind);
    }
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined && this.#windows.size >= maxKinds) this.#close(oldest);
    this.#windows.set(kind, { since: now, level, swallowed: 0, message, count });
    this.#write(level, message);
  }

  #arm({ since }: Window): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    const delay = ms(Math.max(1, since + gap - this.deps.clock.monotonic()));
    this.#timer = setBackgroundTimer(this.deps.clock, { delay, run: () => this.#look() });
  }

  /** Writes the counts of the kinds whose time is over. */
  #look(): void {
    this.#timer = undefined;
    const now = this.deps.clock.monotonic();
    for (const [kind, window] of this.#windows) {
      if (now - window.since < gap) {
        if (window.swallowed > 0) return this.#arm(window);
        continue;
      }
      const goesOn = window.swallowed > 0;
      this.#close(kind);
      if (goesOn) this.#windows.set(kind, { ...window, since: now, swallowed: 0 });
    }
  }

  #close(kind: string): void {
    const window = this.#windows.get(kind);
    this.#windows.delete(kind);
    if (window === undefined || window.swallowed === 0) return;
    const { level, message, since } = window;
    const others = window.swallowed - window.count;
    const seconds = Math.max(1, Math.round((this.deps.clock.monotonic() - since) / 1_000));
    const more = others === 0 ? '' : ` (and ${others.toLocaleString('en-US')} more in the last ${seconds} s)`;
    this.#write(level, message + more);
  }

  #write(level: Level, message: string): void {
    callUser(
      () => this.deps.logger[level](message),
      (error) => this.#failed(error),
    );
  }

  /** There is no logger to say it to. */
  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    process.emitWarning(`The logger failed, lines are lost: ${describeError(error)}`, 'AsynqWarning');
  }
}
