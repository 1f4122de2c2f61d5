import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { AsynqServerOptions } from '../../../lib/engine/server/server-options.js';
import { TaskMux } from '../../../lib/engine/server/task-mux.js';
import { GroupMux } from '../../../lib/engine/maintenance/group-mux.js';
import type { Handler } from '../../../lib/engine/middleware.js';
import { startRedis } from '../../support/redis-server.js';
import { RecordingLogger } from '../../support/recording-logger.js';

const run = (): void => {};
const aggregate = () => ['all'] as const;

/** What a server says at its start, and at which level. */
async function saidBy(handler: Handler | TaskMux, options: AsynqServerOptions = {}): Promise<readonly unknown[]> {
  const logger = new RecordingLogger();
  const server = new AsynqServer({ redis: 'memory:', concurrency: 4, logger, ...options });
  await server.start(handler);
  const said = logger.lines.map(({ level, message }) => `${level} ${message}`);
  await server.shutdown();
  return said;
}

describe('the line that a starting server logs', () => {
  it('names the queues by weight, the concurrency and what handles the tasks', async () => {
    const mux = new TaskMux().handle('a', run).handle('b:', run);
    const queues = { low: 1, critical: 6, default: 3 };
    expect(await saidBy(mux, { queues })).toEqual([
      'info Server started: memory:; queues critical (6), default (3), low (1); concurrency 4; 2 handlers',
    ]);
  });

  it('says that the order is strict, and counts aggregators', async () => {
    const aggregator = new GroupMux().handle('a', aggregate).handle('b', aggregate);
    expect(await saidBy(run, { queues: { x: 2, y: 1 }, strictPriority: true, aggregator })).toEqual([
      'info Server started: memory:; queues x (2), y (1) in strict order; concurrency 4; a handler of every type; 2 aggregators',
    ]);
  });

  it('says that a server without handlers fetches nothing', async () => {
    expect(await saidBy(new TaskMux(), { aggregator: aggregate })).toEqual([
      'info Server started: memory:; queue default; no handlers, so no tasks are fetched; 1 aggregator',
    ]);
  });

  it('stays one line of bounded length with thousands of queues', async () => {
    const queues = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`queue-${index}`, 5_000 - index]));
    const [line, ...others] = await saidBy(run, { queues, blockingConnections: 0 });
    expect(others).toEqual([]);
    expect(line).toContain('queue-18 (4982), queue-19 (4981) and 4,980 more; concurrency 4');
  });

  it('names the Redis server and its database, and no secret', async () => {
    const redis = await startRedis({ acl: ['user worker on >hush ~* &* +@all'] });
    const { host } = new URL(redis.url);
    expect(await saidBy(run, { redis: `redis://worker:hush@${host}/3` })).toEqual([
      `info Server started: redis://${host}/3; queue default; concurrency 4; a handler of every type`,
    ]);
    await redis.stop();
  });
});
