import { GroupMux, type GroupPattern } from '../../../lib/engine/maintenance/group-mux.js';
import type { GroupAggregator } from '../../../lib/engine/maintenance/task-group.js';
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import { resolveServer } from '../../../lib/engine/server/server-options.js';
import { HandlerConflictError } from '../../../lib/model/errors/task-errors.js';

const aggregator = (): GroupAggregator => () => ['digest'];

describe('GroupMux', () => {
  const patterns: readonly (string | GroupPattern)[] = [
    'notification:',
    'notification:mail:',
    'notification:mail:ada',
    { queue: 'low' },
    { queue: 'low', group: 'notification:' },
  ];
  const aggregators = new Map(patterns.map((pattern) => [pattern, aggregator()]));
  const mux = new GroupMux();
  for (const [pattern, one] of aggregators) mux.handle(pattern, one);

  it.each([
    ['default', 'notification:sms', 0],
    ['default', 'notification:mail:bob', 1],
    ['default', 'notification:mail:ada', 2],
    ['default', 'notification:mail:ada2', 2],
    ['low', 'anything', 3],
    ['low', 'notification:sms', 4],
    ['low', 'notification:mail:bob', 1],
    ['default', 'notification', undefined],
    ['default', 'Notification:', undefined],
  ])('finds the longest prefix for queue %s and group %s, preferring that of the queue', (queue, group, index) => {
    const expected = index === undefined ? undefined : aggregators.get(patterns[index] ?? '');
    expect(mux.aggregatorFor({ queue, group })).toBe(expected);
  });

  it.each([
    ['twice the same', (one: GroupMux) => one.handle('a', aggregator()).handle({ group: 'a' }, aggregator())],
    ['twice everything', (one: GroupMux) => one.handle({}, aggregator()).handle({}, aggregator())],
    ['a blank group', (one: GroupMux) => one.handle(' ', aggregator())],
  ])('refuses %s', (_, handle) => {
    expect(() => handle(new GroupMux())).toThrow(HandlerConflictError);
  });

  it.each([
    ['an option that does not exist', { name: 'x' } as GroupPattern, 'GroupMux: pattern.name is not an option'],
    ['a blank queue', { queue: '' }, 'GroupMux: pattern.queue must'],
    ['something else', 5 as never, 'GroupMux: pattern must be an object, got 5'],
  ])('refuses %s as a pattern', (_, pattern, message) => {
    expect(() => new GroupMux().handle(pattern, aggregator())).toThrow(message);
  });

  it('accepts the same group once for each queue', () => {
    const one = new GroupMux().handle('a', aggregator()).handle({ queue: 'q', group: 'a' }, aggregator());
    expect(one.isEmpty).toBe(false);
    expect(new GroupMux().isEmpty).toBe(true);
  });
});

describe('options of aggregation', () => {
  it('S-05 takes a grace period of at least a second; it is a minute by default', () => {
    expect(resolveServer({}).options).toMatchObject({
      groupGracePeriod: 60_000,
      groupMaxDelay: 0,
      groupMaxSize: 0,
      groupConcurrency: 3,
    });
    expect(resolveServer({ groupGracePeriod: '1s' }).options.groupGracePeriod).toBe(1_000);
    for (const groupGracePeriod of ['999ms', 0, -1] as const) {
      expect(() => resolveServer({ groupGracePeriod })).toThrow(/^AsynqServer: groupGracePeriod must be/);
    }
  });

  it.each([
    [{ groupMaxSize: -1 }, 'groupMaxSize'],
    [{ groupMaxSize: 1.5 }, 'groupMaxSize'],
    [{ groupMaxDelay: -1 }, 'groupMaxDelay'],
    [{ groupConcurrency: 0 }, 'groupConcurrency'],
  ])('refuses %o', (options, name) => {
    expect(() => resolveServer(options)).toThrow(`AsynqServer: ${name} must be`);
  });

  it('refuses an aggregator that is neither a function nor a mux', () => {
    expect(() => new AsynqServer({ aggregator: {} as never })).toThrow(
      'AsynqServer: aggregator must be a function or a GroupMux',
    );
  });
});
