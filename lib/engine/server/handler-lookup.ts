import type { Handler } from '../middleware.js';
import type { ResolvedServerOptions } from './server-options.js';
import { type MuxMatch, TaskMux, wrap } from './task-mux.js';

/** Finds what to call for a type; `undefined` when the task is another worker's. */
export type HandlerLookup = (type: string) => Handler | undefined;

/** A mux tells which types it knows; a plain function knows every type. The server's middleware goes around both. */
export function handlerLookup(
  handler: Handler | TaskMux,
  { middleware, unknownTask }: Pick<ResolvedServerOptions, 'middleware' | 'unknownTask'>,
): HandlerLookup {
  if (!(handler instanceof TaskMux)) {
    const wrapped = wrap(handler, middleware);
    return () => wrapped;
  }
  // A mux answers with the same match until it is changed.
  const wrappedMatches = new WeakMap<MuxMatch, Handler>();
  return (type) => {
    const match = handler.handlerFor(type);
    if (match.pattern === undefined && unknownTask === 'return') return undefined;
    if (middleware.length === 0) return match.handler;
    let wrapped = wrappedMatches.get(match);
    if (wrapped === undefined) wrappedMatches.set(match, (wrapped = wrap(match.handler, middleware)));
    return wrapped;
  };
}
