/** Stands between a client and its server, and does to their bytes what a bad network does. */
export interface TcpProxy {
  readonly port: number;
  /** The port as a Redis URL. */
  readonly url: string;
  /** What clients have sent since {@link holdRequests} and has not been delivered. */
  readonly held: Buffer;
  /** From now on what is connected is forwarded no more, either way, and not closed; new connections work. */
  goSilent(): void;
  /** From now on what clients send on the connections that there are is kept back. */
  holdRequests(): void;
  /** From now on what the server answers on the connections that there are is thrown away. */
  dropReplies(): void;
  /** Closes every connection and refuses new ones. Where something is held that is kept, the server's end stays open. */
  cut(options?: { readonly held?: 'thrown away' | 'kept' }): void;
  /** Accepts connections again. */
  restore(): Promise<void>;
  /** Sends to the server what is held, on the connections it was meant for; resolves when the server has read it. */
  deliver(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1 that forwards to a port of this machine. */
export function startTcpProxy(to: number): Promise<TcpProxy>;
