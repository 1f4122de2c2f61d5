import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { HandlerConflictError, HandlerNotFoundError } from '../../model/errors/task-errors.js';
import { checkNames, refuse } from '../../model/options/check.js';
import { isUnwantedPromise } from '../../model/options/user-callback.js';
import { type StandardSchemaV1, validate } from '../../model/task/standard-schema.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import {
  intersectPatterns,
  type PatternOptions,
  showPattern,
  type TaskPattern,
  taskPatternOf,
} from '../../model/task/task-pattern.js';
import type { Handler, Middleware } from '../middleware.js';

/** The result of a {@link TaskMux} for a type. */
export interface MuxMatch {
  /** Runs the task, including middleware. If nothing matches, it fails with HandlerNotFoundError. */
  readonly handler: Handler;
  /** The pattern that matched; `undefined` when none did. */
  readonly pattern: TaskPattern | undefined;
}

interface Route {
  readonly pattern: TaskPattern;
  readonly to: Handler | TaskMux;
}

/** Some programs put data into types (`image:123`); remembering each would be a leak. */
const rememberedTypes = 1_000;

/**
 * Routes a task to its handler by its type. A task definition and a plain string match exactly that type; a string that
 * ends in `:`, or is registered with `{ match: 'prefix' }`, matches every type that starts with it. The exact pattern
 * wins, then the longest prefix. There are no wildcards.
 *
 * @example
 * const mux = new TaskMux()
 *   .use(logging)
 *   .handle('email:', sendMail)
 *   .handle('image', resize, { match: 'prefix' })
 *   .handle(SignupMail, sendSignupMail); // a definition: typed, and validated when it has a schema
 * await server.start(mux);
 */
export class TaskMux {
  readonly #exact = new Map<string, Route>();
  /** Longest first, so that the first match is the longest. */
  #prefixes: readonly Route[] = [];
  readonly #middleware: Middleware[] = [];
  readonly #outer = new Set<TaskMux>();
  readonly #matches = new Map<string, MuxMatch>();
  #patterns: readonly TaskPattern[] | undefined;

  /**
   * Registers a handler, or another mux, for the types that `pattern` matches; order does not matter. If a definition
   * has a schema, every payload is validated before the handler is called.
   *
   * @throws HandlerConflictError when the pattern is blank or taken, or a mux would contain itself.
   * @throws InvalidOptionError when the pattern has a wildcard, or the handler is neither a function nor a mux.
   */
  handle<P = unknown>(
    pattern: string | TaskDefinition<unknown, P>,
    handler: Handler<P> | TaskMux,
    options: PatternOptions = {},
  ): this {
    checkNames({ path: 'TaskMux: options', value: options }, ['match']);
    const taken = taskPatternOf(pattern, { match: options.match, path: 'TaskMux: the pattern' });
    const text = showPattern(taken);
    if (this.#routeOf(taken) !== undefined) throw new HandlerConflictError(`Pattern ${text} already has a handler`);
    if (handler instanceof TaskMux) {
      if (handler.#contains(this)) throw new HandlerConflictError(`Pattern ${text} would put a mux inside itself`);
      handler.#outer.add(this);
    } else if (typeof handler !== 'function') {
      throw new InvalidOptionError({ path: `TaskMux: handler of ${text}`, value: handler, allowed: 'a function' });
    }
    const schema = typeof pattern === 'string' ? undefined : pattern.schema;
    const isPlain = handler instanceof TaskMux || schema === undefined;
    this.#add({ pattern: taken, to: (isPlain ? handler : validating(schema, handler)) as Handler | TaskMux });
    return this;
  }

  /**
   * Wraps every handler, including those registered earlier and the failure of unmatched types. The first one given is
   * the outermost; later calls add inside.
   */
  use(...middleware: readonly Middleware[]): this {
    this.#middleware.push(...middleware);
    this.#forget();
    return this;
  }

  /** Returns the handler for a type, wrapped by the middleware; never `undefined`. */
  handlerFor(type: string): MuxMatch {
    const known = this.#matches.get(type);
    if (known !== undefined) return known;
    const { handler, pattern } = this.#find(type);
    const match: MuxMatch = { handler: wrap(handler, this.#middleware), pattern };
    if (this.#matches.size >= rememberedTypes) this.#matches.clear();
    this.#matches.set(type, match);
    return match;
  }

  /**
   * The patterns that this mux handles; for a nested mux, the intersection of its patterns and the one that leads to
   * it. The same array until something is registered.
   */
  get patterns(): readonly TaskPattern[] {
    return (this.#patterns ??= [...this.#exact.values(), ...this.#prefixes].flatMap(patternsOf));
  }

  #find(type: string): MuxMatch {
    const route = this.#exact.get(type) ?? this.#prefixes.find(({ pattern }) => type.startsWith(pattern.type));
    if (route === undefined) return { handler: handlerNotFound, pattern: undefined };
    const { pattern, to } = route;
    if (!(to instanceof TaskMux)) return { handler: to, pattern };
    const inner = to.handlerFor(type);
    return { handler: inner.handler, pattern: inner.pattern === undefined ? undefined : pattern };
  }

  #routeOf({ type, match }: TaskPattern): Route | undefined {
    return match === 'exact' ? this.#exact.get(type) : this.#prefixes.find(({ pattern }) => pattern.type === type);
  }

  #add(route: Route): void {
    const { type, match } = route.pattern;
    if (match === 'exact') this.#exact.set(type, route);
    else this.#prefixes = [...this.#prefixes, route].sort((a, b) => b.pattern.type.length - a.pattern.type.length);
    this.#forget();
  }

  #contains(mux: TaskMux): boolean {
    if (mux === this) return true;
    const routes = [...this.#exact.values(), ...this.#prefixes];
    return routes.some(({ to }) => to instanceof TaskMux && to.#contains(mux));
  }

  #forget(): void {
    this.#matches.clear();
    this.#patterns = undefined;
    for (const outer of this.#outer) outer.#forget();
  }
}

function patternsOf({ pattern, to }: Route): readonly TaskPattern[] {
  if (!(to instanceof TaskMux)) return [pattern];
  return to.patterns.flatMap((inner) => intersectPatterns(pattern, inner) ?? []);
}

/** Wraps a handler; the first middleware is the outermost. */
export function wrap(handler: Handler, middleware: readonly Middleware[]): Handler {
  return middleware.reduceRight((next, layer) => {
    const wrapped: unknown = layer(next);
    if (typeof wrapped === 'function') return wrapped as Handler;
    isUnwantedPromise(wrapped);
    return refuse({ path: 'middleware: what it returned', value: wrapped }, 'a function');
  }, handler);
}

const handlerNotFound: Handler = (task) => {
  throw new HandlerNotFoundError(task.type);
};

/** Passes the schema's output to the handler; a payload that does not match fails the task for good. */
function validating<P>(schema: StandardSchemaV1<unknown, P>, handler: Handler<P>): Handler {
  return (task) => {
    const payload = validate(schema, task.payload);
    if (payload instanceof Promise) return payload.then((output: P) => handler(task.withPayload(output)));
    return handler(task.withPayload(payload));
  };
}
