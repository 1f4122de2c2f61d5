import type { Type } from '@nestjs/common';
import { type ContextId, REQUEST } from '@nestjs/core';
import type { NestHost } from '../discovery/decorated-methods.js';
import { constructorParametersKey, injectedPropertiesKey } from './nest-metadata.js';

/** A class to construct. */
interface Step {
  readonly type: Type<object>;
  readonly arguments: readonly Argument[];
}

/** What a constructor parameter receives. */
type Argument =
  /** A dependency that lives as long as the application. */
  | { readonly from: 'application'; readonly value: unknown }
  /** The task, which `REQUEST` injects. */
  | { readonly from: 'task' }
  /** An instance that an earlier step constructed for the same task. */
  | { readonly from: 'step'; readonly index: number };

/** The context of an instance that Nest created, and what `REQUEST` injected in it. */
export interface CreatedByNest {
  readonly contextId: ContextId;
  readonly request: object;
}

/**
 * How to construct a provider for a task: one class after the other, the provider's own last. The result is that of
 * Nest's injector, which takes longer than the rest of a task (bench/micro/nest-extras.mjs).
 */
export class ConstructionPlan {
  private constructor(private readonly steps: readonly Step[]) {}

  /**
   * Returns the plan for a provider that Nest has created once, from the dependencies that Nest recorded; `undefined`
   * unless only plain classes are involved. Request-scoped factories, transient dependencies, injected properties,
   * circular dependencies, `INQUIRER` and missing optional dependencies are left to Nest.
   */
  static of(host: NestHost, example: CreatedByNest): ConstructionPlan | undefined {
    const steps: Step[] = [];
    const planner = new Planner(steps, example);
    return planner.add(host) === undefined ? undefined : new ConstructionPlan(steps);
  }

  /** Constructs the provider for a task. @throws what a constructor throws. */
  construct(task: object): object {
    const made: object[] = [];
    for (const { type, arguments: given } of this.steps) {
      const values: unknown[] = [];
      for (const argument of given) {
        if (argument.from === 'application') values.push(argument.value);
        else values.push(argument.from === 'task' ? task : made[argument.index]);
      }
      made.push(new type(...values));
    }
    return made.at(-1) as object;
  }
}

class Planner {
  /** Step by provider; `undefined` while its dependencies are being visited, and if it is left to Nest. */
  readonly #indexes = new Map<NestHost, number | undefined>();

  constructor(
    private readonly steps: Step[],
    private readonly example: CreatedByNest,
  ) {}

  /** Adds the steps for a provider and returns its own; `undefined` if it is left to Nest. */
  add(host: NestHost): number | undefined {
    if (this.#indexes.has(host)) return this.#indexes.get(host);
    this.#indexes.set(host, undefined);
    const given = isPlainClass(host) ? this.#argumentsOf(host) : undefined;
    if (given === undefined) return undefined;
    const index = this.steps.push({ type: host.metatype as Type<object>, arguments: given }) - 1;
    this.#indexes.set(host, index);
    return index;
  }

  #argumentsOf(host: NestHost): readonly Argument[] | undefined {
    const dependencies = host.getCtorMetadata() ?? [];
    if (dependencies.length !== countOfParameters(host.metatype as Type<object>)) return undefined;
    const given: Argument[] = [];
    for (const dependency of dependencies as readonly (NestHost | undefined)[]) {
      const argument = this.#argumentOf(dependency);
      if (argument === undefined) return undefined;
      given.push(argument);
    }
    return given;
  }

  #argumentOf(dependency: NestHost | undefined): Argument | undefined {
    if (dependency === undefined || dependency.isTransient) return undefined;
    if (dependency.isDependencyTreeStatic()) return { from: 'application', value: dependency.instance };
    const { contextId, request } = this.example;
    if (dependency.token === REQUEST) {
      // The application may provide something else under that token.
      const isTask = dependency.getInstanceByContextId(contextId).instance === request;
      return isTask ? { from: 'task' } : undefined;
    }
    const index = this.add(dependency);
    return index === undefined ? undefined : { from: 'step', index };
  }
}

function isPlainClass({ metatype, isNotMetatype, forwardRef }: NestHost): boolean {
  if (isNotMetatype || forwardRef === true || typeof metatype !== 'function') return false;
  return !Reflect.hasMetadata(injectedPropertiesKey(), metatype);
}

function countOfParameters(type: Type<object>): number {
  const types = Reflect.getMetadata('design:paramtypes', type) as readonly unknown[] | undefined;
  const injected = Reflect.getMetadata(constructorParametersKey(), type) as readonly { readonly index: number }[];
  return Math.max(types?.length ?? 0, ...(injected ?? []).map(({ index }) => index + 1));
}
