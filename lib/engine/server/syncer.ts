import { addToGroup } from '../../model/broker/group-by.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import type { Service } from '../lifecycle/service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { OutcomeWriter } from './outcome-writer.js';
import type { Run } from './run.js';

export interface SyncerDeps {
  readonly writer: Pick<OutcomeWriter, 'write'>;
  readonly clock: Clock;
  readonly brokerMonitor: BrokerReachability;
  readonly logger: ThrottledLogger;
}

const firstPause = ms(1_000);
const maxPause = ms(5_000);

/**
 * Retries outcomes that could not be written: after 1 s, then less often up to every 5 s, and at once when Redis is
 * back. New ones do not delay old ones. Nothing is given up before the broker says that the task belongs to another
 * server (S-95).
 */
export class Syncer implements Service {
  readonly name = 'syncer';
  #runs: Run[] = [];
  #pause: Ms = firstPause;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #started = false;
  /** Whether Redis came back during an attempt, which may have failed before that. */
  #isWanted = false;
  #stopListening: (() => void) | undefined;

  constructor(private readonly deps: SyncerDeps) {}

  start(): Promise<void> {
    if (this.#started) return Promise.resolve();
    this.#started = true;
    this.#stopListening = this.deps.brokerMonitor.onUp(() => this.#onUp());
    return Promise.resolve();
  }

  /** Writes everything once more; outcomes that fail again are logged and left to recovery. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#stopListening?.();
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#running;
    const { brokerMonitor, logger } = this.deps;
    const runs = this.#runs.splice(0);
    const left = brokerMonitor.isUp() ? await this.#write(runs) : runs;
    for (const { message, state } of left) {
      const kind = state.phase === 'settling' ? state.outcome.settlement.kind : state.phase;
      logger.error(
        `The outcome (${kind}) of task "${message.id}" of type "${message.type}" could not be written before the shutdown; ` +
          'the task will be recovered',
        { kind: 'outcome left to recovery' },
      );
    }
  }

  add(runs: readonly Run[]): void {
    this.#runs.push(...runs);
    if (this.#timer === undefined && this.#running === undefined) this.#arm();
  }

  #onUp(): void {
    this.#pause = firstPause;
    this.#isWanted = this.#running !== undefined;
    this.#run();
  }

  #arm(): void {
    if (!this.#started) return;
    this.#timer?.cancel();
    this.#timer = this.deps.clock.setTimer(this.#pause, () => this.#run());
  }

  #run(): void {
    if (!this.#started || this.#running !== undefined || this.#runs.length === 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running = this.#writeAgain().finally(() => {
      this.#running = undefined;
      const isWanted = this.#isWanted;
      this.#isWanted = false;
      if (isWanted) this.#run();
      else if (this.#runs.length > 0) this.#arm();
    });
  }

  async #writeAgain(): Promise<void> {
    const left = await this.#write(this.#runs.splice(0));
    this.#runs.unshift(...left);
    this.#pause = left.length === 0 ? firstPause : ms(Math.min(this.#pause * 2, maxPause));
  }

  /** Resolves with the runs whose outcomes still could not be written. */
  async #write(runs: readonly Run[]): Promise<readonly Run[]> {
    const byQueue = new Map<string, Run[]>();
    for (const run of runs) addToGroup(byQueue, run.queue, run);
    const left = await Promise.all(
      [...byQueue].map(async ([queue, some]) => await this.deps.writer.write(queue, some)),
    );
    return left.flat();
  }
}
