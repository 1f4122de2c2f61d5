import { BrokerCommandError, BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { RedisArgument, RedisReply } from './redis-connection.js';
import type { RedisClient } from './redis-client.js';
import { brokerError, isMovedReply } from './reply-errors.js';
import { clusterNodeMessage } from './server-info.js';

/** Sends commands through one connected client and knows which of them are under way. */
export interface CommandTransport {
  readonly client: RedisClient;
  /** Whether no reply is awaited. */
  readonly isIdle: boolean;

  /** Sends one command. Rejects with BrokerCommandError or BrokerUnavailableError. */
  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply>;

  /** Gives up on every command that is under way. */
  abandon(error: Error): void;
}

export interface CommandTransportDeps {
  /** Connected, and not reconnecting by itself unless it is borrowed. */
  readonly client: RedisClient;
  readonly place: string;
  readonly clock: Clock;
  /** Whether the server is one of a cluster's, so that a key may be elsewhere. */
  readonly isCluster: boolean;
  /** How long the server may say nothing while commands wait for their replies. */
  readonly answerLimit: Ms | 'none';
  /** The server says nothing any more, or nonsense, so nothing is under way any more either. */
  readonly onSilence: () => void;
  /** The server takes no writes. */
  readonly onReadOnly: () => void;
}

/** The error a caller gets for the server's reply, or for what the client threw. */
export function replyError(error: unknown, { place, isCluster }: CommandTransportDeps): Error {
  if (isCluster || !isMovedReply(error)) return brokerError(error, place);
  return new BrokerCommandError(clusterNodeMessage(place), { cause: error });
}

/** The error of commands that the server does not answer. */
export function noAnswerError({ place, answerLimit }: CommandTransportDeps): Error {
  return new BrokerUnavailableError(`Redis at ${place} has not answered for ${answerLimit} ms`);
}
