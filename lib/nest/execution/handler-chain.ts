import { type ExecutionContext, ForbiddenException } from '@nestjs/common';
import type { ThrottledLogger } from '../../engine/lifecycle/throttled-logger.js';
import type { Task } from '../../engine/server/handler-task.js';
import { applyFilters } from './apply-filters.js';
import type { BoundMethod, Enhancers } from './enhancers.js';
import { TaskExecutionContext } from './execution-context.js';
import type { HandlerParameters } from './handler-parameters.js';
import { settleAnswer } from './settle-answer.js';
import { asInvalidPayload, isPayloadRefusal } from './payload-refusal.js';
import { callMethod, type ProviderInstance } from './resolve-provider.js';
import { runInterceptors } from './run-interceptors.js';

/** A method and its enhancers. */
export interface HandlerChainParts extends Pick<Enhancers, 'guards' | 'interceptors' | 'filters'> {
  readonly bound: BoundMethod;
  /** Set when the method has decorated parameters; without any it receives the task. */
  readonly parameters: HandlerParameters | undefined;
  readonly logger: ThrottledLogger;
}

/**
 * Calls a method as Nest calls a controller's: guards, interceptors, pipes, the method, and then filters if it failed.
 * Everything is looked up beforehand, so a task pays only for what runs (bench: `extras`).
 */
export class HandlerChain {
  /** Errors with which a pipe refused a payload; a retry would not change them. */
  readonly #refusals = new WeakSet<object>();

  constructor(private readonly parts: HandlerChainParts) {}

  /** Whether the method has no enhancers. */
  get isBare(): boolean {
    const { guards, interceptors, filters, parameters } = this.parts;
    return guards.length + interceptors.length + filters.length === 0 && parameters === undefined;
  }

  /** Runs the method of an instance for a task. */
  async run(task: Task, instance: ProviderInstance): Promise<unknown> {
    const { bound, guards, interceptors, filters, logger } = this.parts;
    const context = new TaskExecutionContext(task, bound);
    try {
      for (const guard of guards) {
        const verdict: unknown = guard.canActivate(context);
        // A promise, or a stream whose last value counts.
        const agrees = typeof verdict === 'boolean' ? verdict : await settleAnswer(verdict);
        if (!agrees) throw new ForbiddenException('Forbidden resource');
      }
      const call = (): unknown => this.#call(task, { instance, context });
      return interceptors.length === 0
        ? await settleAnswer(call())
        : await runInterceptors({ interceptors, context, call });
    } catch (error) {
      try {
        return await applyFilters(filters, { error, context, location: bound.location, logger });
      } catch (final) {
        throw this.#refusals.has(final as object) ? asInvalidPayload(final) : final;
      }
    }
  }

  #call(task: Task, run: Invocation): unknown {
    const { parameters, bound } = this.parts;
    return parameters === undefined ? callMethod(run.instance, bound, [task]) : this.#callWith(parameters, task, run);
  }

  async #callWith(parameters: HandlerParameters, task: Task, { instance, context }: Invocation): Promise<unknown> {
    let values: readonly unknown[];
    try {
      const given = parameters.valuesFor(task, context);
      values = Array.isArray(given) ? given : await given;
    } catch (error) {
      if (isPayloadRefusal(error)) this.#refusals.add(error);
      throw error;
    }
    return callMethod(instance, this.parts.bound, values);
  }
}

interface Invocation {
  readonly instance: ProviderInstance;
  readonly context: ExecutionContext;
}
