import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Something that listens on a port and is not a Redis, or not one that can be had here. */
export interface StubServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Listens on a free port and hands each connection over. */
export async function startStub(onConnection: (socket: Socket) => void): Promise<StubServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

/** Answers each command with what `reply` says, in the protocol's words. */
export function answering(reply: (command: string) => string): (socket: Socket) => void {
  return (socket) =>
    void socket.on('data', (piece) => {
      for (const [, command] of piece.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        socket.write(`${reply((command as string).toLowerCase())}\r\n`);
      }
    });
}
