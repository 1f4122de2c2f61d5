import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { HandlerConflictError, HandlerNotFoundError } from '../../model/errors/task-errors.js';
import { type StandardSchemaV1, validate } from '../../model/task/standard-schema.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import type { Handler, Middleware } from '../middleware.js';

/** What a {@link TaskMux} found for a type. */
export interface MuxMatch {
  /** Runs the task, middleware included. When nothing matches it fails with HandlerNotFoundError. */
  readonly handler: Handler;
  /** The pattern that matched; `undefined` when none did. */
  readonly pattern: string | undefined;
}

/** Types are drawn from payload-like text in some programs (`image:123`); remembering each would be a leak. */
const rememberedTypes = 1_000;

/**
 * Routes a task to its handler by its type: the exact pattern first, else the longest pattern that the type starts
 * with. Plain text, no wildcards (spec/03 §16).
 *
 * @example
 * const mux = new TaskMux()
 *   .use(logging)
 *   .handle('email:', sendMail)
 *   .handle(SignupMail, sendSignupMail); // a definition: typed, and validated when it has a schema
 * await server.start(mux);
 */
export class TaskMux {
  readonly #routes = new Map<string, Handler | TaskMux>();
  readonly #middleware: Middleware[] = [];
  readonly #outer = new Set<TaskMux>();
  readonly #matches = new Map<string, MuxMatch>();
  /** Longest first, so that the first prefix that fits is the longest. */
  #patterns: readonly string[] = [];

  /**
   * Registers a handler, or another mux, for every type that starts with `pattern`; order does not matter. A definition
   * with a schema has every payload validated before its handler is called.
   *
   * @throws HandlerConflictError when the pattern is blank or taken, or a mux would contain itself.
   * @throws InvalidOptionError when the handler is neither a function nor a mux.
   */
  handle<P = unknown>(pattern: string | TaskDefinition<P>, handler: Handler<P> | TaskMux): this {
    const text = typeof pattern === 'string' ? pattern : pattern.type;
    if (typeof text !== 'string' || text.trim() === '') throw new HandlerConflictError('A pattern must not be blank');
    if (this.#routes.has(text)) throw new HandlerConflictError(`Pattern "${text}" has a handler already`);
    if (handler instanceof TaskMux) {
      if (handler.#contains(this)) throw new HandlerConflictError(`Pattern "${text}" would put a mux inside itself`);
      handler.#outer.add(this);
    } else if (typeof handler !== 'function') {
      throw new InvalidOptionError({ path: `TaskMux: handler of "${text}"`, value: handler, allowed: 'a function' });
    }
    const schema = typeof pattern === 'string' ? undefined : pattern.schema;
    const isPlain = handler instanceof TaskMux || schema === undefined;
    this.#routes.set(text, (isPlain ? handler : validating(schema, handler)) as Handler | TaskMux);
    this.#patterns = [...this.#routes.keys()].sort((a, b) => b.length - a.length);
    this.#forget();
    return this;
  }

  /**
   * Wraps every handler, those registered earlier and the answer to unmatched types included. The first one given is
   * the outermost; later calls add inside.
   */
  use(...middleware: readonly Middleware[]): this {
    this.#middleware.push(...middleware);
    this.#forget();
    return this;
  }

  /** The handler for a type, wrapped by the middleware; never nothing. */
  handlerFor(type: string): MuxMatch {
    const known = this.#matches.get(type);
    if (known !== undefined) return known;
    const { handler, pattern } = this.#find(type);
    const match: MuxMatch = { handler: wrap(handler, this.#middleware), pattern };
    if (this.#matches.size >= rememberedTypes) this.#matches.clear();
    this.#matches.set(type, match);
    return match;
  }

  /** Every registered pattern, in the order of registration. */
  get patterns(): readonly string[] {
    return [...this.#routes.keys()];
  }

  #find(type: string): MuxMatch {
    const pattern = this.#routes.has(type) ? type : this.#patterns.find((prefix) => type.startsWith(prefix));
    const route = pattern === undefined ? undefined : this.#routes.get(pattern);
    if (route === undefined) return { handler: handlerNotFound, pattern: undefined };
    if (!(route instanceof TaskMux)) return { handler: route, pattern };
    const inner = route.handlerFor(type);
    return { handler: inner.handler, pattern: inner.pattern === undefined ? undefined : pattern };
  }

  #contains(mux: TaskMux): boolean {
    if (mux === this) return true;
    return [...this.#routes.values()].some((route) => route instanceof TaskMux && route.#contains(mux));
  }

  #forget(): void {
    this.#matches.clear();
    for (const outer of this.#outer) outer.#forget();
  }
}

/** Wraps a handler; the first middleware is the outermost. */
export function wrap(handler: Handler, middleware: readonly Middleware[]): Handler {
  return middleware.reduceRight((next, layer) => layer(next), handler);
}

const handlerNotFound: Handler = (task) => {
  throw new HandlerNotFoundError(task.type);
};

/** Hands the schema's output to the handler; a payload that does not match fails the task for good. */
function validating<P>(schema: StandardSchemaV1<unknown, P>, handler: Handler<P>): Handler {
  return (task) => {
    const payload = validate(schema, task.payload);
    if (payload instanceof Promise) return payload.then((output: P) => handler(task.withPayload(output)));
    return handler(task.withPayload(payload));
  };
}
