import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { MemoryBroker } from '../../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../../lib/memory/memory-state.js';
import { until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('failed runs in the log', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  const boom = (): never => {
    throw new Error('boom');
  };

  it('are a warning with the stack at the first failure of a task', async () => {
    await test.enqueue();
    await test.start(boom);
    await test.untilHappened('retry');
    expect(test.logger.messages('warn').join()).toMatch(/failed, retry 1 of 25 follows: boom\nError: boom\n\s+at boom/);
  });

  it('are an error with the stack when the task is archived', async () => {
    await test.enqueue({ maxRetry: 0 });
    await test.start(boom);
    await test.untilHappened('archived');
    expect(test.logger.messages('error').join()).toMatch(/failed and is archived: boom\nError: boom\n\s+at boom/);
  });

  it('are one line with a count when they are equal', async () => {
    for (let index = 0; index < 50; index += 1) await test.enqueue({ maxRetry: 0 });
    await test.start(boom);
    await test.untilHappened('archived', 50);
    expect(test.logger.messages('error')).toHaveLength(1);
    await test.time.advance('31s');
    expect(test.logger.messages('error')).toHaveLength(2);
    expect(test.logger.messages('error')[1]).toContain('(and 48 more in the last');
  });

  it('are a few lines when thousands of tasks fail, each with a different message', async () => {
    const broker = new MemoryBroker({ store: new MemoryStore(), clock: test.clock });
    const client = new AsynqClient({ broker, clock: test.clock, defaults: { queue: test.queue } });
    await client.enqueueMany(Array.from({ length: 10_500 }, (_, index) => ['x', index, { maxRetry: 0 }] as const));
    await client.close();
    let archived = 0;
    const server = test.create({ broker, concurrency: 500 });
    server.events.on('archived', () => (archived += 1));
    await server.start((task) => {
      throw new Error(`no user ${String(task.payload)}`);
    });
    await until('all are archived', () => archived === 10_500, { within: '30s' });
    await test.time.advance('31s');
    const lines = [...test.logger.messages('warn'), ...test.logger.messages('error')];
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('(and 10,498 more in the last');
  });

  it('are logged at the configured levels', async () => {
    await test.enqueue();
    await test.enqueue({ maxRetry: 0 });
    await test.start(boom, { failureLogs: { first: 'info', archived: 'off' } });
    await test.untilHappened('retry');
    await test.untilHappened('archived');
    expect(test.logger.messages('info').join()).toContain('failed, retry 1 of 25 follows');
    expect([...test.logger.messages('warn'), ...test.logger.messages('error')]).toEqual([]);
  });
});
