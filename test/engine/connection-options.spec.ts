import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import type { ConnectionOptions } from '../../lib/engine/connection-options.js';
import { AsynqScheduler } from '../../lib/engine/scheduler/asynq-scheduler.js';
import { AsynqServer } from '../../lib/engine/server/asynq-server.js';
import { MemoryBroker } from '../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../lib/memory/memory-state.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { VirtualClock } from '../support/virtual-clock.js';

const entries: readonly (readonly [string, new (options: ConnectionOptions) => { ping(): Promise<void> }])[] = [
  ['AsynqClient', AsynqClient],
  ['AsynqServer', AsynqServer],
  ['AsynqScheduler', AsynqScheduler],
];

describe.each(entries)('the connection options of %s', (name, Entry) => {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ store: new MemoryStore(), clock });

  it.each<[string, unknown, string]>([
    ['a misspelt name', { redsi: 'memory:' }, 'redsi is not an option; did you mean redis?'],
    ['redis beside a broker', { redis: 'memory:', broker }, 'redis must be left out when broker is given'],
    ['a codec that cannot decode', { codec: { encode: () => Buffer.alloc(0) } }, 'codec.decode must be a function'],
    ['a logger that cannot warn', { logger: { debug() {}, info() {}, error() {} } }, 'logger.warn must be a function'],
  ])('refuses %s', (_, options, message) => {
    expect(() => new Entry(options as ConnectionOptions)).toThrow(`${name}: ${message}`);
  });

  it('names its option redis when the connection fails', async () => {
    const wrong = 'http://localhost';
    const use = async (): Promise<unknown> => await new Entry({ redis: wrong }).ping();
    await expect(use()).rejects.toThrow(`${name}: redis must be a URL`);
  });

  it('says once that redis is undefined, and nothing when it was left out or a broker is given', () => {
    const logger = new RecordingLogger();
    // With exactOptionalPropertyTypes it does not compile.
    const redis = undefined as never;
    void new Entry({ logger });
    void new Entry({ logger, redis, broker });
    expect(logger.messages()).toEqual([]);
    void new Entry({ logger, redis });
    expect(logger.messages('warn')).toEqual([
      `${name}: redis is undefined, so redis://localhost:6379 is used; leave the option out if that is intended`,
    ]);
  });
});
