import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import { TaskMux } from '../../../lib/engine/server/task-mux.js';
import { MemoryBroker } from '../../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../../lib/memory/memory-state.js';
import { VirtualClock } from '../../support/virtual-clock.js';

it('aggregates groups of a queue in memory at their times, into tasks that are handled', async () => {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ store: new MemoryStore(), clock });
  const client = new AsynqClient({ broker, clock });
  const server = new AsynqServer({
    broker,
    clock,
    groupGracePeriod: '10s',
    groupMaxSize: 50,
    aggregator: ({ tasks }) => ['digest', tasks.map((task) => task.payload)],
  });
  const handled: (readonly number[])[] = [];
  const mux = new TaskMux().handle<readonly number[]>('digest', (task) => void handled.push(task.payload));
  await server.start(mux);
  const many = Array.from({ length: 100 }, (_, n) => n);
  await client.enqueueMany(many.map((n) => ['note', n, { group: 'big' }] as const));
  await client.enqueue('note', 100, { group: 'small' });
  await client.enqueue('note', 101, { group: 'small', processIn: '1h' });

  await clock.advance('30s');
  expect(handled.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([1, 50, 50]);
  await clock.advance('1h');
  expect(handled.flat().toSorted((a, b) => a - b)).toEqual([...many, 100, 101]);

  await server.shutdown();
  await client.close();
  await broker.close();
  expect(clock.armedTimers).toBe(0);
});
