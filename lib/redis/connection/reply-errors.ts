import { isNativeError } from 'node:util/types';
import { AsynqError } from '../../model/errors/asynq-error.js';
import { BrokerCommandError, BrokerUnavailableError } from '../../model/errors/broker-errors.js';

// Replies that mean "not now" or "not here"; a 6.2 server wraps those that a script got from a command.
const notNow =
  /^(?:ERR Error running script .*?-)?(?:LOADING|READONLY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|MOVED|ASK|BUSY|UNBLOCKED)\b/s;
const refused = /^(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:AUTH|invalid password|DB index|Client sent AUTH))\b/;

// Where in which script a command was refused: before the reply (6.2), or after it.
const inScript =
  /^ERR Error running script \(call to \w+\): (?:@user_script: ?\d+: )*-?|\.? script: [0-9a-f]{40}, on @user_script:\d+\.?$/gi;

const undeclaredKey = /undeclared key/i;

/** An error reply of the server. */
export class ReplyError extends Error {
  // The name in every version of the client.
  override readonly name = 'ReplyError';
}

/** Whether a client's error is an error reply of the server, in any version of the client. */
export function isReplyError(error: unknown): error is Error {
  return isNativeError(error) && error.name === 'ReplyError';
}

/** Whether the server accepts no writes: a replica, or a master that has become one. */
export function isReadOnlyReply(error: unknown): boolean {
  return isReplyError(error) && /^(?:ERR Error running script .*?-)?READONLY\b/s.test(error.message);
}

/** Whether the server will never let this user in, so that trying again is pointless. */
export function isRefusal(error: unknown): error is Error {
  return isReplyError(error) && refused.test(error.message);
}

/** Whether the server does not know a command, because it was renamed, or does not permit it for this user. */
export function isUnknownOrForbidden(error: unknown): boolean {
  return isReplyError(error) && /^(?:NOPERM|ERR unknown command)\b/i.test(error.message);
}

/** Whether the server holds only some of a cluster's keys, and not the requested one. */
export function isMovedReply(error: unknown): error is Error {
  return isReplyError(error) && /^(?:ERR Error running script .*?-)?(?:MOVED|ASK) /s.test(error.message);
}

/** Whether a server that was configured as a cluster node is not one. */
export function isNoClusterReply(error: unknown): error is Error {
  return isReplyError(error) && error.message.startsWith('ERR This instance has cluster support disabled');
}

/** Returns the error for what a client threw. */
export function brokerError(error: unknown, place: string): AsynqError {
  const prefix = `Redis at ${place}`;
  if (error instanceof AsynqError && (!(error instanceof BrokerUnavailableError) || error.message.startsWith(prefix))) {
    return error;
  }
  if (isReplyError(error) && !notNow.test(error.message)) {
    const hint = undeclaredKey.test(error.message)
      ? `; ${prefix} must allow scripts to use undeclared keys (Dragonfly: --default_lua_flags=allow-undeclared-keys)`
      : '';
    // The place in a script tells a user nothing; the cause has it.
    return new BrokerCommandError(`${error.message.replace(inScript, '')}${hint}`, { cause: error });
  }
  return new BrokerUnavailableError(`${prefix} cannot be reached: ${describeConnectionError(error)}`, { cause: error });
}

/** Returns one line about an error; Node leaves the message of some connection errors empty. */
export function describeConnectionError(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const { code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly unknown[] };
  if (error.message === '' && errors !== undefined) return errors.map(describeConnectionError).join(', ');
  return error.message || code || error.name;
}
