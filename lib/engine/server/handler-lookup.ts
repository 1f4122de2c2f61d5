import type { Handler } from '../middleware.js';
import type { ResolvedServerOptions } from './server-options.js';
import { type MuxMatch, TaskMux, wrap } from './task-mux.js';

/** Finds the handler of a type; `undefined` if the task is left to other workers. */
export type HandlerLookup = (type: string) => Handler | undefined;

/** A mux defines which types it handles; a plain function handles every type. The server's middleware wraps both. */
export function handlerLookup(
  handler: Handler | TaskMux,
  { middleware, unknownTask }: Pick<ResolvedServerOptions, 'middleware' | 'unknownTask'>,
): HandlerLookup {
  if (!(handler instanceof TaskMux)) {
    const wrapped = wrap(handler, middleware);
    return () => wrapped;
  }
  // A mux returns the same match until it is changed.
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
