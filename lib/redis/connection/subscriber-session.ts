import { BrokerCommandError, BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { type Ms, ms } from '../../model/time/duration.js';
import { pause } from '../../model/time/wait.js';
import { connectOwn } from './connect-client.js';
import { ClientTransport } from './client-transport.js';
import type { ClientFactory } from './client-factory.js';
import type { CommandConnection } from './command-connection.js';
import type { ChannelListener } from './redis-connection.js';
import { withinLimit, type TimeLimit } from './time-limit.js';

export interface SubscriberSessionDeps {
  readonly clients: ClientFactory;
  readonly commands: CommandConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly commandLimit: Ms;
}

const pingEvery = ms(30_000);

/** A connection on which channels can be subscribed to. */
interface SubscribedConnection {
  readonly transport: ClientTransport;
  readonly lost: Promise<unknown>;
  /** Channels that the server has confirmed. */
  readonly heard: Set<string>;
}

/** One listening session: connects, subscribes, passes messages on, and starts over when the connection is lost. */
export class SubscriberSession {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #subscriber: Deferred<SubscribedConnection> = deferred();

  constructor(
    private readonly deps: SubscriberSessionDeps,
    private readonly listeners: ReadonlySet<ChannelListener>,
  ) {
    this.#running = this.#run();
  }

  /** Resolves when the channels are subscribed to, however often the connection is lost before that. */
  async hear(channels: readonly string[]): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const subscriber = await this.#subscriber.promise;
      try {
        return await subscribe(subscriber, channels);
      } catch (error) {
        if (!(error instanceof BrokerUnavailableError)) throw error;
        await subscriber.lost;
      }
    }
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.deps;
    for (let time: 'first' | 'again' = 'first'; !this.#stop.signal.aborted;) {
      try {
        await this.#listen(time);
        time = 'again';
      } catch (error) {
        // Subscribing is not permitted: the caller is told. It is retried nevertheless, because permissions change.
        if (error instanceof BrokerCommandError) this.#subscriber.reject(error);
      }
      if (this.#subscriber.isSettled) this.#subscriber = deferred();
      await pause(ms(500 + random() * 500), { clock, signal: this.#stop.signal });
    }
  }

  /** Returns when the connection is lost; throws when it cannot be opened. */
  async #listen(time: 'first' | 'again'): Promise<void> {
    const { clients, commands, clock, commandLimit } = this.deps;
    const attempt: TimeLimit = { clock, limit: commandLimit, signal: this.#stop.signal };
    const main = await withinLimit(commands.whenUp(), attempt);
    const connected = await connectOwn(clients.signals(main.client), attempt);
    const transport = new ClientTransport({
      client: connected.client,
      place: clients.place,
      clock,
      isCluster: clients.isCluster,
      answerLimit: commandLimit,
      onSilence: () => void connected.release(),
      onReadOnly: () => {},
    });
    // If the command connection was lost, this one may be dead without noticing it: a reply shows.
    const stopWatching = commands.onAvailability(({ kind }) => {
      if (kind === 'up') transport.send('ping', []).catch(() => {});
    });
    try {
      connected.client.on('message', (channel, message) => this.#handOn(String(channel), String(message)));
      const subscriber: SubscribedConnection = { transport, lost: connected.lost, heard: new Set() };
      await withinLimit(subscribe(subscriber, this.#channels()), attempt);
      this.#subscriber.resolve(subscriber);
      if (time === 'again') for (const listener of this.listeners) listener.onReconnect();
      await this.#untilLost({ transport, lost: connected.lost });
    } finally {
      stopWatching();
      transport.abandon(new BrokerUnavailableError('The connection for signals was lost'));
      await connected.release();
    }
  }

  /** Checks with an occasional command: the connection may be quiet for hours, and network devices may drop it. */
  async #untilLost({ transport, lost }: Pick<SubscribedConnection, 'transport' | 'lost'>): Promise<void> {
    const { clock } = this.deps;
    const { signal } = this.#stop;
    const ended = new AbortController();
    void lost.then(() => ended.abort());
    const either = AbortSignal.any([signal, ended.signal]);
    while (!either.aborted) {
      await pause(pingEvery, { clock, signal: either });
      if (!either.aborted) transport.send('ping', []).catch(() => {});
    }
  }

  #channels(): readonly string[] {
    return [...new Set([...this.listeners].flatMap(({ channels }) => channels))];
  }

  #handOn(channel: string, message: string): void {
    for (const listener of this.listeners) {
      if (listener.channels.includes(channel)) listener.onMessage(channel, message);
    }
  }
}

async function subscribe({ transport, heard }: SubscribedConnection, channels: readonly string[]): Promise<void> {
  const missing = channels.filter((channel) => !heard.has(channel));
  if (missing.length === 0) return;
  await transport.send('subscribe', missing);
  for (const channel of missing) heard.add(channel);
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  isSettled: boolean;
  resolve(value: T): void;
  reject(error: Error): void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  // Nobody may be awaiting it at the moment.
  promise.catch(() => {});
  const made: Deferred<T> = {
    promise,
    isSettled: false,
    resolve: (value) => {
      made.isSettled = true;
      resolve(value);
    },
    reject: (error) => {
      made.isSettled = true;
      reject(error);
    },
  };
  return made;
}
