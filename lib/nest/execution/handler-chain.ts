import { type ExecutionContext, ForbiddenException } from '@nestjs/common';
import { isObservable } from 'rxjs';
import type { ThrottledLogger } from '../../engine/lifecycle/throttled-logger.js';
import type { Task } from '../../engine/server/handler-task.js';
import { isThenable } from '../../model/options/user-callback.js';
import { applyFilters } from './apply-filters.js';
import type { BoundMethod, Enhancers } from './enhancers.js';
import { TaskExecutionContext } from './execution-context.js';
import type { HandlerParameters } from './handler-parameters.js';
import { asInvalidPayload, isPayloadRefusal } from './payload-refusal.js';
import { callMethod, type ProviderInstance } from './resolve-provider.js';
import { runInterceptors } from './run-interceptors.js';
import { lastOf, settleAnswer } from './settle-answer.js';

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
      if (interceptors.length > 0) {
        const call = (): unknown => this.#call({ task, instance, context });
        return await runInterceptors({ interceptors, context, call });
      }
      const answer = this.#call({ task, instance, context });
      const value = isThenable(answer) ? await answer : answer;
      return isObservable(value) ? await lastOf(value) : value;
    } catch (error) {
      try {
        return await applyFilters(filters, { error, context, location: bound.location, logger });
      } catch (final) {
        throw this.#refusals.has(final as object) ? asInvalidPayload(final) : final;
      }
    }
  }

  /** Applies the pipes and calls the method; returns a promise only if one of them is asynchronous. */
  #call({ task, instance, context }: Invocation): unknown {
    const { parameters, bound } = this.parts;
    if (parameters === undefined) return callMethod(instance, bound, [task]);
    const values = parameters.valuesFor(task, context);
    return Array.isArray(values) ? callMethod(instance, bound, values) : this.#callLater(values, instance);
  }

  async #callLater(later: Promise<readonly unknown[]>, instance: ProviderInstance): Promise<unknown> {
    let values: readonly unknown[];
    try {
      values = await later;
    } catch (error) {
      if (isPayloadRefusal(error)) this.#refusals.add(error);
      throw error;
    }
    return callMethod(instance, this.parts.bound, values);
  }
}

interface Invocation {
  readonly task: Task;
  readonly instance: ProviderInstance;
  readonly context: ExecutionContext;
}
