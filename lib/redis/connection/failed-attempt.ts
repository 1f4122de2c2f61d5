import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeConnectionError } from './reply-errors.js';

// TLS records begin with 21 or 22.
const otherProtocol = /(?:Unknown RESP type|reply of an unknown kind:) (?!2[12]\b)/;
const cutOff = /ECONNRESET|EPIPE|connection was lost|Connection is closed/;
const handshakeFailed = /EPROTO|wrong version number|packet length too long|before secure TLS|no answer/;

/** Explains a failed connection attempt: what happened, and what is probably wrong with the option. */
export function explainFailedAttempt(error: unknown, { usesTls }: { readonly usesTls: boolean }): unknown {
  const message = describeConnectionError(error);
  if (!usesTls && otherProtocol.test(message)) {
    return new BrokerUnavailableError("what listens there does not speak Redis' protocol", { cause: error });
  }
  const guess = guessFor(message, usesTls);
  return guess === undefined ? error : new BrokerUnavailableError(`${message} (${guess})`, { cause: error });
}

function guessFor(message: string, usesTls: boolean): string | undefined {
  if (usesTls) return handshakeFailed.test(message) ? 'the port may be one without TLS' : undefined;
  return cutOff.test(message) ? 'the port may expect TLS: rediss://, or the option tls' : undefined;
}
