import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { ms } from '../../model/time/duration.js';
import { withinLimit, type TimeLimit } from './time-limit.js';
import { isClusterClient, type RedisClient, type RedisNodeClient } from './redis-client.js';
import { describeConnectionError, isReplyError } from './reply-errors.js';

/** A connected client. */
export interface ConnectedClient {
  readonly client: RedisClient;
  /** Resolves with the reason when the connection is lost or closed. */
  readonly lost: Promise<Error>;
  /** Closes it, or detaches from it if it is borrowed; resolves when nothing of it is left. */
  release(): Promise<void>;
}

/**
 * Connects a client of our own, once; it is discarded when its connection is lost.
 *
 * @throws the server's reply when it refuses the connection, BrokerUnavailableError without a connection in time.
 */
export async function connectOwn(client: RedisClient, timeLimit: TimeLimit): Promise<ConnectedClient> {
  let cause: unknown;
  // Stays as long as the client exists: ioredis prints errors that nobody listens to.
  client.on('error', (error) => {
    cause = error;
  });
  const ended = event(client, 'end');
  const release = async (): Promise<void> => {
    destroy(client);
    // The event should always come; if it does not, nothing must hang because of that.
    const tidyUp = { clock: timeLimit.clock, limit: ms(1_000), signal: new AbortController().signal };
    await withinLimit(ended.happened, tidyUp).catch(() => {});
  };
  try {
    await withinLimit(client.connect(), timeLimit);
    // A database that does not exist is only reported here; the client would continue with database 0.
    if (isReplyError(cause)) throw cause;
  } catch (error) {
    await release();
    throw cause ?? error;
  }
  const lost = ended.happened.then(() => connectionLost(cause));
  return { client, lost, release };
}

/** Returns why a client of our own cannot be used; `undefined` if it can. The client is closed afterwards. */
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

/** Waits until a borrowed client can be used. */
export async function awaitBorrowed(client: RedisClient, timeLimit: TimeLimit): Promise<ConnectedClient> {
  if (client.status === 'end') throw new BrokerUnavailableError('the given client is closed');
  if (client.status !== 'ready') {
    const ready = event(client, 'ready');
    // A lazily connecting client waits for its first use, which is now.
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
