import type { ThrottledLogger } from '../../engine/lifecycle/throttled-logger.js';
import type { Handler } from '../../engine/middleware.js';
import type { Task } from '../../engine/server/handler-task.js';
import {
  areEnhancersStatic,
  type BoundMethod,
  type EnhancerFinder,
  type Enhancers,
  type MadeFor,
} from './enhancers.js';
import type { EnhancerKind, GlobalEnhancers } from './global-enhancers.js';
import { HandlerChain } from './handler-chain.js';
import { decoratedParametersOf, HandlerParameters } from './handler-parameters.js';
import { settleAnswer } from './settle-answer.js';
import { PerTaskProvider } from './per-task-provider.js';
import { callMethod, type ProviderInstance, isCreatedPerTask, resolveProvider } from './resolve-provider.js';

export interface HandlerInvokerDeps {
  readonly finder: EnhancerFinder;
  readonly globals: GlobalEnhancers;
  /** Kinds of the application's own enhancers that apply to handlers. */
  readonly kinds: ReadonlySet<EnhancerKind>;
  readonly logger: ThrottledLogger;
}

/**
 * Turns methods into handlers. The enhancers of a method are looked up once; only those that live for one task are
 * created for every task. A method without enhancers is called directly.
 */
export class HandlerInvoker {
  constructor(private readonly deps: HandlerInvokerDeps) {}

  /** Returns the function that runs the method for a task. */
  bind(bound: BoundMethod): Handler {
    const { host } = bound;
    const { globals, kinds, finder } = this.deps;
    const isHostMade = isCreatedPerTask(host);
    const isEachMade = globals.isMadePerTask(kinds) || (isHostMade && !areEnhancersStatic(host));
    if (isEachMade) return (task) => this.#makeAndRun(bound, task);
    const chain = this.#chain(bound, [globals.fixed(kinds), finder.of(bound)]);
    const run = chain.isBare
      ? (task: Task, instance: ProviderInstance) => settleAnswer(callMethod(instance, bound, [task]))
      : (task: Task, instance: ProviderInstance) => chain.run(task, instance);
    if (isHostMade) return createdPerTask(new PerTaskProvider(host), run);
    const instance = host.instance as ProviderInstance;
    return (task) => run(task, instance);
  }

  async #makeAndRun(bound: BoundMethod, task: Task): Promise<unknown> {
    const { host } = bound;
    const { finder, globals, kinds } = this.deps;
    const { instance, contextId } = await resolveProvider(host, { subject: task });
    const made = { contextId, inquirerId: host.id };
    const everywhere = await globals.make(kinds, contextId);
    return await this.#chain(bound, [everywhere, finder.of(bound, made)], made).run(task, instance);
  }

  #chain(bound: BoundMethod, [outer, inner]: readonly [Enhancers, Enhancers], made?: MadeFor): HandlerChain {
    const pipes = [...outer.pipes, ...inner.pipes];
    const pipesOf = (given: readonly unknown[]) => this.deps.finder.pipesOfParameter(given, bound, made);
    const hasParameters = decoratedParametersOf(bound).length > 0;
    return new HandlerChain({
      bound,
      guards: [...outer.guards, ...inner.guards],
      interceptors: [...outer.interceptors, ...inner.interceptors],
      filters: [...inner.filters, ...outer.filters],
      parameters: hasParameters ? new HandlerParameters(bound, pipes, pipesOf) : undefined,
      logger: this.deps.logger,
    });
  }
}

function createdPerTask(provider: PerTaskProvider, run: (task: Task, instance: ProviderInstance) => unknown): Handler {
  return (task) => {
    const created = provider.create(task);
    return created instanceof Promise ? created.then((instance) => run(task, instance)) : run(task, created);
  };
}
