import { elapsed, type EpochMs, ms } from '../model/time/duration.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import type { RedisConnection, RedisReply } from './connection/redis-connection.js';
import type { ScriptRunner } from './script-runner.js';
import { globalKeys } from './keys.js';

/**
 * How long a queue counts as registered. Not forever: another program may remove the queue, and tasks enqueued after
 * that would run but not be visible to anybody.
 */
const queuesRememberedFor = ms(60_000);

/** Registers queues for every process before the first task is put into them (P-19). */
export class QueueRegistry {
  /** When each queue was last registered, or the registration in progress. */
  readonly #queues = new Map<string, EpochMs | Promise<void>>();

  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {}

  /** Whether the queue was registered recently, so that {@link register} need not be awaited. */
  isRegistered(queue: string, now: EpochMs): boolean {
    const at = this.#queues.get(queue);
    // A clock that was set back must not keep a queue registered for long.
    return typeof at === 'number' && elapsed(at, now) < queuesRememberedFor && at <= now;
  }

  /**
   * Registers a queue; concurrent callers share one registration.
   *
   * @throws BrokerUnavailableError, BrokerCommandError as the connection does.
   */
  async register(queue: string, now: EpochMs): Promise<void> {
    const known = this.#queues.get(queue);
    if (typeof known === 'object') return await known;
    if (this.isRegistered(queue, now)) return;
    // A program that generates endless queue names must not fill memory with them.
    if (this.#queues.size >= 1_000) this.#queues.clear();
    const registration = this.#add(queue, now);
    this.#queues.set(queue, registration);
    await registration;
  }

  async #add(queue: string, now: EpochMs): Promise<void> {
    try {
      const { connection, runner } = this.deps;
      const key = globalKeys.queues;
      const command = async (): Promise<RedisReply> => await connection.send('sadd', [key, queue]);
      const added = await runner.withKey({ key, type: 'set' }, { command, otherwise: 'refused' });
      if (added === 'refused') {
        throw new BrokerCommandError(`Queue "${queue}" cannot be registered: "${key}" must be a set`);
      }
      this.#queues.set(queue, now);
    } catch (error) {
      this.#queues.delete(queue);
      throw error;
    }
  }
}
