import type { Broker } from '../../lib/model/broker/broker.js';
import { deck, statementNames } from './deck.js';
import { QueueUnderTest } from './queue-under-test.js';
import type { FleetProbe, QueueProbe } from './storage-probe.js';

/** A storage that brokers share. */
export interface BrokerBackend {
  /** What it is, as it is printed: `RedisBroker on Redis 7.0`. */
  readonly label: string;
  readonly fleet: FleetProbe;
  /** A broker of a process of its own. The caller closes it. */
  open(): Broker;
  probe(queue: string): Promise<QueueProbe>;
  close(): Promise<void>;
}

/** A statement that a broker cannot keep. */
export interface Skip {
  /** Chapter and name of the statement, as {@link statementNames} has them. */
  readonly test: string;
  readonly reason: string;
}

/**
 * Proves every statement of the deck on one broker, and prints how many they were.
 *
 * @example
 * describeBroker('MemoryBroker', { create: async () => memoryBackend(), skips: [] });
 */
export function describeBroker(
  name: string,
  { create, skips }: { readonly create: () => Promise<BrokerBackend>; readonly skips: readonly Skip[] },
): void {
  describe(name, () => {
    let backend: BrokerBackend | undefined;
    let brokers: readonly [Broker, Broker];
    let proven = 0;

    beforeAll(async () => {
      backend = await create();
      brokers = [backend.open(), backend.open()];
      await Promise.all(brokers.map(async (broker) => await broker.open()));
    });
    afterAll(async () => {
      if (backend === undefined) return;
      const left = skips.map(({ test, reason }) => `\n  left out: ${test}: ${reason}`).join('');
      process.stderr.write(`conformance: ${backend.label}: ${proven} statements, ${skips.length} left out${left}\n`);
      await Promise.all(brokers.map(async (broker) => await broker.close()));
      await backend.close();
    });

    for (const { title, statements } of deck) {
      describe(title, () => {
        for (const statement of statements) {
          if (skips.some(({ test }) => test === `${title}: ${statement.name}`)) continue;
          it(statement.name, async () => {
            const tasks = await QueueUnderTest.open(backend as BrokerBackend, brokers);
            try {
              await statement.prove(tasks);
              proven++;
            } finally {
              await tasks.close();
            }
          });
        }
      });
    }

    it('keeps every statement of the deck, but those that are listed as left out', () => {
      expect(skips.map(({ test }) => test).filter((test) => !statementNames().includes(test))).toEqual([]);
      expect(proven + skips.length).toBe(statementNames().length);
    });
  });
}
