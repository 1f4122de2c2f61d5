import type { Duplex } from 'node:stream';

/** What a socket of Node reads and writes with, a TLS socket by way of another. */
interface SocketHandle {
  /** Bytes that were handed to it and that the system has not taken. */
  readonly writeQueueSize?: number;
  readonly _parent?: SocketHandle | null;
}

interface SocketParts {
  readonly bytesRead?: number;
  readonly _handle?: SocketHandle | null;
}

/**
 * Sees whether bytes move over a socket between two looks, where only whole replies and whole writes are told of.
 *
 * The system takes a long write at the pace of the link; `bytesWritten` counts it as soon as it is handed over, and its
 * callback comes at the end. So this reads what Node's own socket timeouts read. Should that be gone one day, a long write
 * counts as silence, and a test fails.
 */
export class SocketActivity {
  /** Bytes of the write under way that had not gone out at the last look. */
  #unsent = 0;
  #received: number | undefined;

  /** The socket may be another one at each look. */
  constructor(private readonly stream: () => Duplex | undefined) {}

  /** Whether bytes have gone out since the last call, of a write that was under way then. */
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
  // Nothing waits, as nearly always.
  if (stream === undefined || stream.writableLength === 0) return 0;
  let unsent = 0;
  for (let handle = (stream as SocketParts)._handle; handle; handle = handle._parent) {
    unsent += handle.writeQueueSize ?? 0;
  }
  return unsent;
}
