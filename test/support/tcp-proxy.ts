import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { startStub } from './stub-server.js';

/** Stands between a client and its server. */
export interface TcpProxy {
  readonly port: number;
  /** From now on what is connected is forwarded no more, either way, and not closed; new connections work. */
  goSilent(): void;
  stop(): Promise<void>;
}

/** Forwards connections to a port of this machine. */
export async function startProxy(to: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const stub = await startStub((client) => {
    const server = connect(to, '127.0.0.1');
    server.on('error', () => {});
    client.pipe(server);
    server.pipe(client);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    pairs.add([client, server]);
  });
  return {
    port: stub.port,
    goSilent: () => {
      for (const [client, server] of pairs) {
        client.unpipe(server);
        server.unpipe(client);
        // Read on, so that the sender's system accepts all it is given.
        client.resume();
        server.resume();
      }
      pairs.clear();
    },
    stop: () => stub.stop(),
  };
}
