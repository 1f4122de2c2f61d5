import { Global, Module, type ModuleMetadata } from '@nestjs/common';
import { AsynqScheduler, type Broker } from '../../lib/index.js';
import { type EngineParts, systemParts } from '../../lib/nest/asynq-instance.js';
import { enginePartsToken, getSchedulerToken } from '../../lib/nest/asynq.tokens.js';
import { seededRandom } from '../support/seeded-random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { startApp, type TestApp } from './support.js';

/** An application on a real Redis whose time moves when told. */
export interface TimedApp extends TestApp {
  readonly clock: VirtualClock;
  readonly scheduler: AsynqScheduler;
}

/** Times at which applications are one minute away from what their tests wait for. */
export const aMinuteToTwo = '2026-03-01T01:59:00Z';

/** Builds and starts an application at an instant; replicas share the clock of the first. */
export async function startTimedApp(
  metadata: ModuleMetadata,
  { now = aMinuteToTwo, clock }: { readonly now?: string; readonly clock?: VirtualClock } = {},
): Promise<TimedApp> {
  const brokers: Broker[] = [];
  const settle = async (): Promise<void> => {
    for (const broker of brokers) await roundTrips(broker);
  };
  const time = clock ?? new VirtualClock({ now, settle });
  const parts: EngineParts = {
    clock: time,
    random: seededRandom(),
    openBroker: (redis, deps) => {
      const broker = systemParts.openBroker(redis, deps);
      brokers.push(broker);
      return broker;
    },
  };
  @Global()
  @Module({ providers: [{ provide: enginePartsToken, useValue: parts }], exports: [enginePartsToken] })
  class TimeModule {}
  const test = await startApp({ ...metadata, imports: [TimeModule, ...(metadata.imports ?? [])] });
  return { ...test, clock: time, scheduler: test.app.get(getSchedulerToken(), { strict: false }) };
}

async function roundTrips(broker: Broker): Promise<void> {
  if (!broker.isAvailable()) return;
  for (let trip = 0; trip < 4; trip += 1) {
    await broker.ping();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
