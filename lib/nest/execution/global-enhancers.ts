import type { CanActivate, NestInterceptor, PipeTransform } from '@nestjs/common';
import type { ContextId, ModuleRef } from '@nestjs/core';
import type { NestHost } from '../discovery/decorated-methods.js';
import type { EnhancerFinder, Enhancers } from './enhancers.js';

/** Kinds of enhancers that can apply to every handler of an application. */
export type EnhancerKind = 'guards' | 'interceptors' | 'filters' | 'pipes';

interface Registered {
  /** Instances that live as long as the application. */
  readonly fixed: readonly object[];
  /** Nest's records of those that are created for every task. */
  readonly perTask: readonly NestHost[];
}

/**
 * The global enhancers of an application: `useGlobalGuards`, `APP_GUARD` and the like. Pipes always apply to handlers;
 * the other three are mostly written for HTTP, so they apply only on request, as in Nest's hybrid applications.
 */
export class GlobalEnhancers {
  readonly #registered: Readonly<Record<EnhancerKind, Registered>>;

  constructor(private readonly deps: { readonly moduleRef: ModuleRef; readonly finder: EnhancerFinder }) {
    // Nest's application config cannot be injected; a module reference leads to it.
    const config = deps.moduleRef['container'].applicationConfig;
    this.#registered = {
      guards: { fixed: config?.getGlobalGuards() ?? [], perTask: config?.getGlobalRequestGuards() ?? [] },
      interceptors: {
        fixed: config?.getGlobalInterceptors() ?? [],
        perTask: config?.getGlobalRequestInterceptors() ?? [],
      },
      filters: { fixed: config?.getGlobalFilters() ?? [], perTask: config?.getGlobalRequestFilters() ?? [] },
      pipes: { fixed: config?.getGlobalPipes() ?? [], perTask: config?.getGlobalRequestPipes() ?? [] },
    };
  }

  /** Describes in a sentence which apply to handlers and which do not; `undefined` if the application has none. */
  describe(kinds: ReadonlySet<EnhancerKind>): string | undefined {
    const applying = this.#counts((kind) => kinds.has(kind));
    const others = this.#counts((kind) => !kinds.has(kind));
    if (applying.count + others.count === 0) return undefined;
    const parts = [
      ...(applying.count === 0 ? [] : [`${applying.text} ${applying.count === 1 ? 'applies' : 'apply'} to handlers`]),
      ...(others.count === 0
        ? []
        : [
            `${others.text} ${others.count === 1 ? 'does' : 'do'} not${applying.count === 0 ? ' apply to handlers' : ''}`,
          ]),
    ];
    return `Of the application's global enhancers, ${parts.join('; ')} (option globalEnhancers)`;
  }

  /** Whether some of those kinds are created for every task. */
  isMadePerTask(kinds: ReadonlySet<EnhancerKind>): boolean {
    return [...kinds].some((kind) => this.#registered[kind].perTask.length > 0);
  }

  /** Returns those that live as long as the application. */
  fixed(kinds: ReadonlySet<EnhancerKind>): Enhancers {
    return this.#sorted((kind) => (kinds.has(kind) ? this.#registered[kind].fixed : []));
  }

  /** Returns all of those kinds, some of them created for the task. */
  async make(kinds: ReadonlySet<EnhancerKind>, contextId: ContextId): Promise<Enhancers> {
    const made = new Map<EnhancerKind, readonly object[]>();
    for (const kind of kinds) {
      const { fixed, perTask } = this.#registered[kind];
      const resolve = ({ token }: NestHost): Promise<object> =>
        this.deps.moduleRef.resolve<object>(token as never, contextId, { strict: false });
      made.set(kind, [...fixed, ...(await Promise.all(perTask.map(resolve)))]);
    }
    return this.#sorted((kind) => made.get(kind) ?? []);
  }

  #counts(isCounted: (kind: EnhancerKind) => boolean): { readonly count: number; readonly text: string } {
    const texts: string[] = [];
    let count = 0;
    for (const [kind, { fixed, perTask }] of Object.entries(this.#registered)) {
      const found = fixed.length + perTask.length;
      if (found === 0 || !isCounted(kind as EnhancerKind)) continue;
      count += found;
      texts.push(found === 1 ? `1 ${kind.slice(0, -1)}` : `${found} ${kind}`);
    }
    return { count, text: texts.join(', ') };
  }

  #sorted(of: (kind: EnhancerKind) => readonly object[]): Enhancers {
    return {
      guards: of('guards') as readonly CanActivate[],
      interceptors: of('interceptors') as readonly NestInterceptor[],
      pipes: of('pipes') as readonly PipeTransform[],
      filters: this.deps.finder.filters(of('filters')).toReversed(),
    };
  }
}
