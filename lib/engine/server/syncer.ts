import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { BrokerLink } from '../lifecycle/broker-watch.js';
import type { Service } from '../lifecycle/service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { leaseLength } from './lease-keeping.js';
import type { Settler, Unsettled } from './settler.js';

export interface SyncerDeps {
  readonly settler: Pick<Settler, 'rewrite' | 'drop'>;
  readonly clock: Clock;
  readonly link: BrokerLink;
  readonly logger: ThrottledLogger;
}

const firstPause = ms(1_000);
const longestPause = ms(5_000);

/**
 * Writes again the outcomes that could not be written: after 1 s, then less often up to every 5 s, and at once when
 * Redis is back. New ones do not put the old ones off. An outcome is given up when its lease has run out for so long
 * that another server may have recovered the task (spec/03 §10).
 */
export class Syncer implements Service {
  readonly name = 'syncer';
  #entries: Unsettled[] = [];
  #pause: Ms = firstPause;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #started = false;
  #stopListening: (() => void) | undefined;

  constructor(private readonly deps: SyncerDeps) {}

  start(): Promise<void> {
    if (this.#started) return Promise.resolve();
    this.#started = true;
    this.#stopListening = this.deps.link.onUp(() => this.#run());
    return Promise.resolve();
  }

  /** Writes everything once more; what fails again is logged and left to recovery. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#stopListening?.();
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#running;
    const { link, logger, settler } = this.deps;
    const entries = this.#entries.splice(0);
    const left = link.isUp() ? await settler.rewrite(entries) : entries;
    for (const { execution, settlement } of left) {
      const { id, type } = execution.message;
      logger.error(
        `The outcome (${settlement.kind}) of task "${id}" of type "${type}" could not be written before the end; ` +
          'the task will be recovered',
        { kind: 'outcome left to recovery' },
      );
    }
  }

  /** Outcomes that wait to be written again. */
  get waiting(): number {
    return this.#entries.length;
  }

  add(entries: readonly Unsettled[]): void {
    this.#entries.push(...entries);
    if (this.#timer === undefined && this.#running === undefined) this.#arm();
  }

  #arm(): void {
    if (!this.#started) return;
    this.#timer?.cancel();
    this.#timer = this.deps.clock.setTimer(this.#pause, () => this.#run());
  }

  #run(): void {
    if (!this.#started || this.#running !== undefined || this.#entries.length === 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running = this.#writeAgain().finally(() => {
      this.#running = undefined;
      if (this.#entries.length > 0) this.#arm();
    });
  }

  async #writeAgain(): Promise<void> {
    const entries = this.#entries.splice(0);
    const now = this.deps.clock.now();
    const hopeful: Unsettled[] = [];
    for (const entry of entries) {
      const { leaseUntil, isReleased } = entry.execution;
      if (isReleased) continue;
      // As long as servers wait, by the protocol, before they recover a task whose lease has run out.
      if (leaseUntil + leaseLength < now) this.deps.settler.drop(entry);
      else hopeful.push(entry);
    }
    const left = await this.deps.settler.rewrite(hopeful);
    this.#entries.unshift(...left);
    this.#pause = left.length === 0 ? firstPause : ms(Math.min(this.#pause * 2, longestPause));
  }
}
