import { InvalidStateError } from '../../model/errors/state-errors.js';
import type { ChannelListener } from './redis-connection.js';
import { withinLimit } from './time-limit.js';
import { SubscriberSession, type SubscriberSessionDeps } from './subscriber-session.js';

/**
 * The connection for receiving signals; it is open while somebody listens. Signals that are sent while it is being
 * reopened are lost, which `onReconnect` reports.
 */
export class SubscriberConnection {
  readonly #listeners = new Set<ChannelListener>();
  readonly #closed = new AbortController();
  #session: SubscriberSession | undefined;

  constructor(private readonly deps: SubscriberSessionDeps) {}

  /**
   * Subscribes to the listener's channels until the returned function is called.
   *
   * @throws BrokerUnavailableError when they cannot be subscribed to within the command limit; BrokerCommandError when
   * the server does not allow it.
   */
  async subscribe(listener: ChannelListener): Promise<() => Promise<void>> {
    if (this.#closed.signal.aborted) throw new InvalidStateError('The connection to Redis is closed');
    const { clock, commandLimit } = this.deps;
    // A separate object, so that one listener can subscribe twice.
    const own: ChannelListener = {
      channels: [...listener.channels],
      onMessage: (channel, message) => listener.onMessage(channel, message),
      onReconnect: () => listener.onReconnect(),
    };
    this.#listeners.add(own);
    this.#session ??= new SubscriberSession(this.deps, this.#listeners);
    try {
      await withinLimit(this.#session.hear(own.channels), { clock, limit: commandLimit, signal: this.#closed.signal });
    } catch (error) {
      await this.#unsubscribe(own);
      throw error;
    }
    return () => this.#unsubscribe(own);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#listeners.clear();
    await this.#session?.end();
  }

  async #unsubscribe(listener: ChannelListener): Promise<void> {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    const session = this.#session;
    this.#session = undefined;
    await session?.end();
  }
}
