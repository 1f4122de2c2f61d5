import { type ContextId, ContextIdFactory } from '@nestjs/core';
import type { Task } from '../../engine/server/handler-task.js';
import type { NestHost } from '../discovery/decorated-methods.js';
import { ConstructionPlan } from './construction-plan.js';
import { areInstancesDecorated, type ProviderInstance, resolveProvider } from './resolve-provider.js';

/**
 * Creates a provider for every task. Nest creates the first instance; if only plain classes are involved, later ones
 * are constructed directly.
 */
export class PerTaskProvider {
  /** `undefined` until Nest has created an instance. */
  #plan: ConstructionPlan | 'left to Nest' | undefined;

  constructor(private readonly host: NestHost) {
    if (areInstancesDecorated(host)) this.#plan = 'left to Nest';
  }

  /** Returns the instance for a task, or a promise of it if Nest creates it. @throws what its constructor throws. */
  create(task: Task): ProviderInstance | Promise<ProviderInstance> {
    const contextId = ContextIdFactory.getByRequest(task);
    // A context strategy, or a middleware that attached a context to the task, decides which instances are shared.
    const isContextPlain = !('getParent' in contextId) && Reflect.ownKeys(task).length === 0;
    if (isContextPlain && this.#plan instanceof ConstructionPlan) return this.#plan.construct(task) as ProviderInstance;
    return this.#createByNest({ task, contextId, isExample: isContextPlain });
  }

  async #createByNest({ task, contextId, isExample }: NestCreation): Promise<ProviderInstance> {
    const { instance } = await resolveProvider(this.host, { subject: task, contextId });
    if (isExample) this.#plan ??= ConstructionPlan.of(this.host, { contextId, request: task }) ?? 'left to Nest';
    return instance;
  }
}

interface NestCreation {
  readonly task: Task;
  readonly contextId: ContextId;
  /** Whether a plan can be made from what Nest creates. */
  readonly isExample: boolean;
}
