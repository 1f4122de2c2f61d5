import type { Duplex } from 'node:stream';

/** The handle with which a Node socket reads and writes; a TLS socket has it indirectly. */
interface SocketHandle {
  /** Bytes passed to it that the operating system has not accepted yet. */
  readonly writeQueueSize?: number;
  readonly _parent?: SocketHandle | null;
}

interface SocketParts {
  readonly bytesRead?: number;
  readonly _handle?: SocketHandle | null;
}

/**
 * Detects whether bytes move over a socket between two checks, where only whole replies and whole writes are reported.
 *
 * The operating system accepts a long write at the pace of the connection; `bytesWritten` counts it as soon as it is
 * passed on, and its callback comes at the end. So this reads what Node's own socket timeouts read. If that ever
 * disappears, a long write counts as silence, and a test fails.
 */
export class SocketActivity {
  /** Bytes of the current write that had not gone out at the last check. */
  #unsent = 0;
  #received: number | undefined;

  /** The socket may be a different one at each check. */
  constructor(private readonly stream: () => Duplex | undefined) {}

  /** Whether bytes of a write that was in progress at the last call have gone out since. */
  hasSent(): boolean {
    const before = this.#unsent;
    this.#unsent = unsentBytes(this.stream());
    return before > 0 && this.#unsent !== before;
  }

  /** Whether bytes have come in since the last call. */
  hasReceived(): boolean {
    const before = this.#received;
    this.#received = (this.stream() as SocketParts | undefined)?.bytesRead;
    return before !== this.#received;
  }
}

function unsentBytes(stream: Duplex | undefined): number {
  // Nothing waits, as is nearly always the case.
  if (stream === undefined || stream.writableLength === 0) return 0;
  let unsent = 0;
  for (let handle = (stream as SocketParts)._handle; handle; handle = handle._parent) {
    unsent += handle.writeQueueSize ?? 0;
  }
  return unsent;
}
