import { describeError } from '../../model/retry/describe-error.js';
import { type Clock, setBackgroundTimer, type Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import { type Logger, type LogLevel, silentLogger } from '../logger.js';
import { callUser } from '../../model/options/user-callback.js';

export interface ThrottledLoggerDeps {
  /** The user's logger; what it throws or rejects with goes no further. */
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer' | 'backgroundTimers'>;
}

/** How a line is throttled. */
export interface LineKind {
  /**
   * Lines of one kind are written once in 30 s. The kind says what happened, never to which task, so that ids do not
   * defeat the throttle: `late-outcome`, or `archived email:send Error: timeout`.
   */
  readonly kind: string;
  /** How many events the line stands for. Default 1. */
  readonly count?: number;
}

interface Window {
  readonly since: Ms;
  readonly level: Level;
  /** Events whose lines were not written. */
  swallowed: number;
  /** The last line that was not written. */
  message: string;
  count: number;
}

type Level = Exclude<LogLevel, 'fatal'>;

const gap = ms(30_000);
/** Kinds that contain user data must not fill memory. */
const maxKinds = 1_000;

/**
 * The logger of the engine. Lines that could come thousands of times a second are given a kind: the first of a kind is
 * written at once, those that follow within 30 s are counted, and the last of them is written with the count at the end
 * of that time. Lines without a kind are always written.
 *
 * @example
 * logger.warn(`The outcome of task "${id}" came too late`, { kind: 'late-outcome' });
 */
export class ThrottledLogger implements Logger {
  /** By kind, oldest first. */
  readonly #windows = new Map<string, Window>();
  #timer: Timer | undefined;
  #isStopped = false;
  #hasFailed = false;

  constructor(private readonly deps: ThrottledLoggerDeps) {}

  /** Whether written lines are discarded. */
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

  /** Resumes writing counts after {@link stop}. */
  start(): void {
    this.#isStopped = false;
  }

  /** Writes the counts so far and leaves no timer behind. */
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

  /** Writes the counts of the kinds whose time has passed. */
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

  /** Reports a failure of the logger, which cannot be logged. */
  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    process.emitWarning(`The logger failed, log lines are lost: ${describeError(error)}`, 'AsynqWarning');
  }
}
