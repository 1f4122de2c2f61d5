import { InternalError } from '../model/errors/asynq-error.js';

/**
 * Where a round of reconciliation goes on. It looks at the lists and sets of each queue first, then at every task hash
 * of every server.
 */
export type ReconcileCursor =
  | {
      readonly phase: 'places';
      /** Index of the queue in the request. */
      readonly queue: number;
      /** Index of the list or set among those of the queue. */
      readonly place: number;
      /** Position in the list or set. */
      readonly first: number;
    }
  | {
      readonly phase: 'tasks';
      /** Index of the server among the masters. */
      readonly node: number;
      /** That server's own cursor. */
      readonly scan: string;
    };

/** A new round. */
const roundStart: ReconcileCursor = { phase: 'places', queue: 0, place: 0, first: 0 };

/** A cursor as the contract carries it. */
export function formatCursor(cursor: ReconcileCursor): string {
  return cursor.phase === 'places'
    ? `places ${cursor.queue} ${cursor.place} ${cursor.first}`
    : `tasks ${cursor.node} ${cursor.scan}`;
}

/** Reads what {@link formatCursor} wrote. @throws InternalError when it is something else. */
export function parseCursor(text: string | undefined): ReconcileCursor {
  if (text === undefined) return roundStart;
  const place = /^places (\d+) (\d+) (\d+)$/.exec(text);
  if (place !== null) {
    return { phase: 'places', queue: Number(place[1]), place: Number(place[2]), first: Number(place[3]) };
  }
  const task = /^tasks (\d+) (\d+)$/.exec(text);
  if (task !== null) return { phase: 'tasks', node: Number(task[1]), scan: task[2] ?? '0' };
  throw new InternalError(`Not a cursor of a reconciliation: ${text}`);
}
