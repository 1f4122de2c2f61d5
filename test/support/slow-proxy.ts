import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { startStub } from './stub-server.js';

/** To the server, or from it. */
export type Way = 'up' | 'down';

/** Stands between clients and their server, and lets through what it is told to. */
export interface SlowProxy {
  readonly port: number;
  /** From now on nothing goes that way but what {@link pass} lets through; senders are told to wait. */
  hold(way: Way): void;
  /** Lets about this many bytes more through that way; resolves when they have gone. */
  pass(way: Way, bytes: number): Promise<void>;
  /** From now on everything goes that way. */
  release(way: Way): void;
  stop(): Promise<void>;
}

interface Lane {
  /** Bytes that may go now. */
  allowed: number;
  readonly pumps: Set<() => void>;
  onUsedUp: (() => void) | undefined;
}

/** Forwards connections to a port of this machine, everything at first. */
export async function startSlowProxy(to: number): Promise<SlowProxy> {
  const lanes: Readonly<Record<Way, Lane>> = { up: aLane(), down: aLane() };
  const stub = await startStub((client) => {
    const server = connect(to, '127.0.0.1');
    server.on('error', () => {});
    forward(lanes.up, client, server);
    forward(lanes.down, server, client);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  });
  const allow = (way: Way, bytes: number): void => {
    lanes[way].allowed = bytes;
    for (const pump of lanes[way].pumps) pump();
  };
  return {
    port: stub.port,
    hold: (way) => allow(way, 0),
    release: (way) => allow(way, Infinity),
    pass: async (way, bytes) =>
      await new Promise((resolve) => {
        lanes[way].onUsedUp = resolve;
        allow(way, bytes);
      }),
    stop: () => stub.stop(),
  };
}

function aLane(): Lane {
  return { allowed: Infinity, pumps: new Set(), onUsedUp: undefined };
}

function forward(lane: Lane, from: Socket, to: Socket): void {
  const pump = (): void => {
    while (lane.allowed > 0) {
      const piece = from.read() as Buffer | null;
      if (piece === null) return;
      lane.allowed -= piece.length;
      to.write(piece);
    }
    lane.onUsedUp?.();
    lane.onUsedUp = undefined;
  };
  lane.pumps.add(pump);
  from.on('readable', pump);
  from.on('close', () => void lane.pumps.delete(pump));
}
