import { BrokerCommandError, BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { RedisArgument, RedisReply } from './redis-connection.js';
import type { RedisClient } from './redis-client.js';
import { brokerError, isMovedReply } from './reply-errors.js';
import { clusterNodeMessage } from './server-info.js';

/** Sends commands through one connected client and tracks which of them are in flight. */
export interface CommandTransport {
  readonly client: RedisClient;
  /** Whether no reply is awaited. */
  readonly isIdle: boolean;

  /** Sends one command. Rejects with BrokerCommandError or BrokerUnavailableError. */
  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply>;

  /** Gives up on every command in flight. */
  abandon(error: Error): void;
}

export interface CommandTransportDeps {
  /** The client: connected, and not reconnecting by itself unless it is borrowed. */
  readonly client: RedisClient;
  readonly place: string;
  readonly clock: Clock;
  /** Whether the server belongs to a cluster, so that a key may be elsewhere. */
  readonly isCluster: boolean;
  /** How long the server may send nothing while commands await replies. */
  readonly answerLimit: Ms | 'none';
  /** Called when the server sends nothing any more, or nonsense, so that nothing is in flight any more either. */
  readonly onSilence: () => void;
  /** Called when the server accepts no writes. */
  readonly onReadOnly: () => void;
}

/** Returns the error for the server's reply, or for what the client threw. */
export function replyError(error: unknown, { place, isCluster }: CommandTransportDeps): Error {
  if (isCluster || !isMovedReply(error)) return brokerError(error, place);
  return new BrokerCommandError(clusterNodeMessage(place), { cause: error });
}

/** Returns the error of commands that the server does not answer. */
export function noAnswerError({ place, answerLimit }: CommandTransportDeps): Error {
  return new BrokerUnavailableError(`Redis at ${place} has not answered for ${answerLimit} ms`);
}
