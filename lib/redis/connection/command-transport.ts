import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { RedisArgument, RedisReply } from './redis-connection.js';
import type { RedisClient } from './redis-client.js';

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
  /** How long the server may say nothing while commands wait for their replies. */
  readonly answerLimit: Ms | 'none';
  /** The server says nothing any more, or nonsense, so nothing is under way any more either. */
  readonly onSilence: () => void;
  /** The server takes no writes. */
  readonly onReadOnly: () => void;
}

/** The error of commands that the server does not answer. */
export function noAnswerError({ place, answerLimit }: CommandTransportDeps): Error {
  return new BrokerUnavailableError(`Redis at ${place} has not answered for ${answerLimit} ms`);
}
