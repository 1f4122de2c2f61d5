import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Something that a handler, or any other code, waits for and that comes by a socket. */
export interface UnreadAnswer {
  /** Resolves when the event loop has read it. */
  readonly read: Promise<unknown>;
  /** It lies in the socket when this returns. */
  arrive(): void;
}

/** Makes answers that arrive when they are told to, and are read when the event loop turns next. */
export class AnswerSockets {
  readonly #open: { close(): unknown }[] = [];

  async next(): Promise<UnreadAnswer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const reading = connect((server.address() as { port: number }).port, '127.0.0.1');
    const [writing] = (await once(server, 'connection')) as [Socket];
    this.#open.push({ close: () => reading.destroy() }, { close: () => writing.destroy() }, server);
    const read = once(reading, 'data');
    return { read, arrive: () => void writing.write('.') };
  }

  close(): void {
    for (const one of this.#open.splice(0)) one.close();
  }
}
