import type { Broker } from '../../lib/model/broker/broker.js';
import type { Chapter } from './chapter.js';
import { deck, statementNames } from './deck.js';
import { QueueUnderTest } from './queue-under-test.js';
import type { FleetProbe, QueueProbe } from './storage-probe.js';

/** A broker of a process that may die. */
export interface MortalBroker {
  readonly broker: Broker;
  readonly hasDied: () => boolean;
}

/** A storage that brokers share. */
export interface BrokerBackend {
  /** What it is, as it is printed: `RedisBroker on Redis 7.0`. */
  readonly label: string;
  readonly fleet: FleetProbe;
  /** A broker of a process of its own. The caller closes it. */
  open(): Broker;
  /**
   * A broker of a process that dies after so many commands to the storage, if a call takes more than one: later ones
   * are never carried out. The caller closes it.
   */
  openMortal(commands: number): MortalBroker;
  probe(queue: string): Promise<QueueProbe>;
  close(): Promise<void>;
}

/** A statement that a broker cannot keep. */
export interface Skip {
  /** Chapter and name of the statement, as {@link statementNames} has them. */
  readonly test: string;
  readonly reason: string;
}

/** What is to be proven of a broker, chapter by chapter, and how many statements there are, left out ones included. */
export interface Plan {
  readonly chapters: readonly Chapter[];
  readonly count: number;
}

/** The deck without what is left out. Throws when that is no statement of the deck, or has no reason. */
export function planFor(skips: readonly Skip[]): Plan {
  for (const { test, reason } of skips) {
    if (!statementNames().includes(test)) throw new Error(`The deck does not say: ${test}`);
    if (reason === '') throw new Error(`Left out without a reason: ${test}`);
  }
  const isLeftOut = (test: string): boolean => skips.some((skip) => skip.test === test);
  const chapters = deck.map(({ title, statements }) => ({
    title,
    statements: statements.filter(({ name }) => !isLeftOut(`${title}: ${name}`)),
  }));
  const proven = chapters.reduce((sum, { statements }) => sum + statements.length, 0);
  return { chapters, count: proven + skips.length };
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
    const { chapters, count } = planFor(skips);

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

    for (const { title, statements } of chapters) {
      describe(title, () => {
        for (const statement of statements) {
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

    it('is tested against as many statements as every other broker', () => {
      expect(proven + skips.length).toBe(count);
      expect(count).toBe(statementNames().length);
    });
  });
}
