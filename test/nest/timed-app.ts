import { Global, Module, type ModuleMetadata } from '@nestjs/common';
import { AsynqScheduler, type Broker } from '../../lib/index.js';
import { type EngineParts, systemParts } from '../../lib/nest/asynq-instance.js';
import { enginePartsToken } from '../../lib/nest/asynq.tokens.js';
import { seededRandom } from '../support/seeded-random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { startApp, type TestApp } from './support.js';

/** An application on a real Redis whose time moves when told; it starts at one minute to two. */
export interface TimedApp extends TestApp {
  readonly clock: VirtualClock;
  readonly scheduler: AsynqScheduler;
}

/** Time, and the brokers that live by it. */
export class SharedTime {
  readonly brokers: Broker[] = [];
  readonly clock = new VirtualClock({
    now: '2026-03-01T01:59:00Z',
    settle: async () => {
      for (const broker of this.brokers) await roundTrips(broker);
    },
  });
}

/** Builds and starts an application; replicas are given one time. */
export async function startTimedApp(metadata: ModuleMetadata, time = new SharedTime()): Promise<TimedApp> {
  const parts: EngineParts = {
    clock: time.clock,
    random: seededRandom(),
    openBroker: (redis, deps) => {
      const broker = systemParts.openBroker(redis, deps);
      time.brokers.push(broker);
      return broker;
    },
  };
  @Global()
  @Module({ providers: [{ provide: enginePartsToken, useValue: parts }], exports: [enginePartsToken] })
  class TimeModule {}
  const test = await startApp({ ...metadata, imports: [TimeModule, ...(metadata.imports ?? [])] });
  return { ...test, clock: time.clock, scheduler: test.app.get(AsynqScheduler, { strict: false }) };
}

async function roundTrips(broker: Broker): Promise<void> {
  if (!broker.isAvailable()) return;
  for (let trip = 0; trip < 4; trip += 1) {
    await broker.ping();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
