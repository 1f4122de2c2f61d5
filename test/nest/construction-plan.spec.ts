import {
  forwardRef,
  Inject,
  Injectable,
  type InjectionToken,
  Module,
  Optional,
  type Provider,
  Scope,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, INQUIRER, NestFactory, REQUEST } from '@nestjs/core';
import { ConstructionPlan } from '../../lib/nest/execution/construction-plan.js';
import { resolveProvider } from '../../lib/nest/execution/resolve-provider.js';

/** Keeps its constructor arguments, so that two instances can be compared. */
class Given {
  protected constructor(readonly given: readonly unknown[]) {}
}

@Injectable()
class Shared {}

@Injectable({ scope: Scope.REQUEST })
class Audit extends Given {
  constructor(shared: Shared, @Inject(REQUEST) task: unknown) {
    super([shared, task]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Inherits extends Audit {}

@Injectable()
class Deep extends Given {
  constructor(audit: Audit, inherits: Inherits, @Inject('LATER') later: unknown, @Inject('SAME') same: unknown) {
    super([audit, inherits, later, same]);
  }
}

@Injectable()
class Diamond extends Given {
  constructor(deep: Deep, audit: Audit) {
    super([deep, audit]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class WithProperty {
  @Inject(Shared)
  readonly shared!: Shared;
}

@Injectable({ scope: Scope.REQUEST })
class Optionally extends Given {
  constructor(@Optional() @Inject('NOWHERE') nowhere: unknown, shared: Shared) {
    super([nowhere, shared]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Asks extends Given {
  constructor(@Inject(INQUIRER) inquirer: unknown) {
    super([inquirer]);
  }
}

@Injectable()
class Asked extends Given {
  constructor(asks: Asks) {
    super([asks]);
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Transient extends Given {
  constructor(shared: Shared) {
    super([shared]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class NeedsTransient extends Given {
  constructor(transient: Transient) {
    super([transient]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Chicken extends Given {
  constructor(@Inject(forwardRef(() => Egg)) egg: unknown) {
    super([egg]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Egg extends Given {
  constructor(@Inject(forwardRef(() => Chicken)) chicken: unknown) {
    super([chicken]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class NeedsFactory extends Given {
  constructor(@Inject('PER TASK') value: unknown) {
    super([value]);
  }
}

const providers: Provider[] = [
  Shared,
  Audit,
  Inherits,
  Deep,
  Diamond,
  WithProperty,
  Optionally,
  Asks,
  Asked,
  Transient,
  NeedsTransient,
  Chicken,
  Egg,
  NeedsFactory,
  { provide: 'LATER', useFactory: async () => ({ made: 'later' }) },
  { provide: 'SAME', useExisting: Shared },
  { provide: 'CLASS', useClass: Deep },
  { provide: 'PER TASK', scope: Scope.REQUEST, useFactory: () => ({}) },
];

async function makers(token: InjectionToken, more: readonly Provider[] = []) {
  @Module({ imports: [DiscoveryModule], providers: [...providers, ...more] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const host = app
    .get(DiscoveryService)
    .getProviders()
    .find((found) => found.token === token);
  if (host === undefined) throw new Error(`no provider ${String(token)}`);
  const byNest = async (subject: object) => await resolveProvider(host, { subject });
  const first = {};
  const { contextId } = await byNest(first);
  return { byNest, plan: ConstructionPlan.of(host, { contextId, request: first }) };
}

describe('a provider of plain classes', () => {
  it.each<[string, InjectionToken]>([
    ['is request-scoped, with the task', Audit],
    ['inherits its constructor', Inherits],
    ['is not request-scoped, but needs what is', Deep],
    ['needs one request-scoped provider twice', Diamond],
    ['is transient', Transient],
    ['has a name', 'CLASS'],
  ])('is constructed as by Nest: %s', async (_shape, token) => {
    const { byNest, plan } = await makers(token);
    const task = { payload: 42 };
    const { instance } = await byNest(task);
    const constructed = plan?.construct(task);
    expect(constructed).toEqual(instance);
    expect(constructed).toBeInstanceOf(instance.constructor);
    expect(sharing(constructed, task)).toEqual(sharing(instance, task));
    expect(plan?.construct(task)).not.toBe(constructed);
  });

  it('fails with what its constructor throws', async () => {
    let refuses = false;
    @Injectable({ scope: Scope.REQUEST })
    class Fragile {
      constructor() {
        if (refuses) throw new Error('no luck');
      }
    }
    const { plan } = await makers(Fragile, [Fragile]);
    refuses = true;
    expect(() => plan?.construct({})).toThrow('no luck');
  });
});

describe('a provider is left to Nest if it', () => {
  it.each<[string, InjectionToken]>([
    ['has an injected property', WithProperty],
    ['lacks an optional dependency', Optionally],
    ['asks who injects it', Asked],
    ['needs a transient provider', NeedsTransient],
    ['needs itself', Chicken],
    ['needs a request-scoped factory', NeedsFactory],
    ['is a factory', 'PER TASK'],
  ])('%s', async (_shape, token) => {
    expect((await makers(token)).plan).toBeUndefined();
  });

  it("needs another provider under the token of Nest's REQUEST", async () => {
    const own = { provide: REQUEST, scope: Scope.REQUEST, useFactory: () => ({}) };
    expect((await makers(Audit, [own])).plan).toBeUndefined();
  });
});

/** Numbers the objects of a tree of dependencies by identity, the task first. */
function sharing(made: unknown, task: object): readonly number[] {
  const seen: unknown[] = [task];
  const places: number[] = [];
  const visit = (value: unknown): void => {
    const known = seen.indexOf(value);
    places.push(known === -1 ? seen.push(value) - 1 : known);
    if (known === -1 && value instanceof Given) value.given.forEach(visit);
  };
  visit(made);
  return places;
}
