import { InternalError } from '../model/errors/asynq-error.js';

/**
 * Where a round of reconciliation continues. It checks the lists and sets of each queue first, then every task hash of
 * every server.
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

/** The start of a round. */
const roundStart: ReconcileCursor = { phase: 'places', queue: 0, place: 0, first: 0 };

/** Formats a cursor for the contract. */
export function formatCursor(cursor: ReconcileCursor): string {
  return cursor.phase === 'places'
    ? `places ${cursor.queue} ${cursor.place} ${cursor.first}`
    : `tasks ${cursor.node} ${cursor.scan}`;
}

/** Parses what {@link formatCursor} wrote. @throws InternalError for anything else. */
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
