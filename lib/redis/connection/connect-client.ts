import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { ms } from '../../model/time/duration.js';
import { withinLimit, type TimeLimit } from './time-limit.js';
import { isClusterClient, type RedisClient, type RedisNodeClient } from './redis-client.js';
import { describeConnectionError, isReplyError } from './reply-errors.js';

/** A client that is connected. */
export interface ConnectedClient {
  readonly client: RedisClient;
  /** Resolves with the reason when the connection is lost or closed. */
  readonly lost: Promise<Error>;
  /** Ends it, or lets go of it when it is borrowed; resolves when nothing of it is left. */
  release(): Promise<void>;
}

/**
 * Connects a client of our own, once; when its connection is lost it is done with.
 *
 * @throws the server's reply when it refuses us, BrokerUnavailableError when there is no connection within the limit.
 */
export async function connectOwn(client: RedisClient, timeLimit: TimeLimit): Promise<ConnectedClient> {
  let cause: unknown;
  // Stays for as long as the client lives: ioredis prints errors that nobody listens to.
  client.on('error', (error) => {
    cause = error;
  });
  const ended = event(client, 'end');
  const release = async (): Promise<void> => {
    destroy(client);
    // The event always comes; should a client keep it to itself, nobody must hang for that.
    const tidyUp = { clock: timeLimit.clock, limit: ms(1_000), signal: new AbortController().signal };
    await withinLimit(ended.happened, tidyUp).catch(() => {});
  };
  try {
    await withinLimit(client.connect(), timeLimit);
    // A database that does not exist is only reported here; the client would go on with database 0.
    if (isReplyError(cause)) throw cause;
  } catch (error) {
    await release();
    throw cause ?? error;
  }
  const lost = ended.happened.then(() => connectionLost(cause));
  return { client, lost, release };
}

/** Why a client of our own cannot be used; `undefined` when it can. Nothing of it is left. */
export async function reasonOfFailure(client: RedisClient, timeLimit: TimeLimit): Promise<unknown> {
  try {
    const connected = await connectOwn(client, timeLimit);
    const { lost } = connected;
    const answer = client.callBuffer('ping').then(
      () => undefined,
      () => lost,
    );
    return await withinLimit(Promise.race([answer, lost]), timeLimit).finally(() => connected.release());
  } catch (error) {
    return error;
  }
}

/** Waits until a client that somebody else connects and closes can be used. */
export async function awaitBorrowed(client: RedisClient, timeLimit: TimeLimit): Promise<ConnectedClient> {
  if (client.status === 'end') throw new BrokerUnavailableError('the given client is closed');
  if (client.status !== 'ready') {
    const ready = event(client, 'ready');
    // A client that was told not to connect by itself waits for its first use, which is now.
    if (client.status === 'wait') client.connect().catch(() => {});
    try {
      await withinLimit(ready.happened, timeLimit);
    } finally {
      ready.forget();
    }
  }
  const closed = event(client, 'close');
  const ended = event(client, 'end');
  const released = Promise.race([closed.happened, ended.happened]);
  return {
    client,
    lost: released.then(() => connectionLost(undefined)),
    release: async () => {
      closed.forget();
      ended.forget();
    },
  };
}

/** Closes a client of our own at once, without waiting for a server that may hang. */
function destroy(client: RedisClient): void {
  if (client.status === 'end') return;
  const nodes = isClusterClient(client) ? client.nodes('all') : [client as RedisNodeClient];
  client.disconnect();
  for (const { stream } of nodes) stream?.destroy();
}

function connectionLost(cause: unknown): Error {
  const detail = cause === undefined ? '' : `: ${describeConnectionError(cause)}`;
  return new BrokerUnavailableError(`the connection was lost${detail}`, { cause });
}

interface AwaitedEvent {
  readonly happened: Promise<void>;
  forget(): void;
}

function event(client: RedisClient, name: string): AwaitedEvent {
  let happen!: () => void;
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  client.on(name, happen);
  return { happened, forget: () => void client.off(name, happen) };
}
