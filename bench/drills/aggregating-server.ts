// A server that aggregates, in a process of its own: `node aggregating-server.js '<settings as JSON>'`.
import { AsynqServer, TaskMux } from 'nestjs-asynq/core';
import type { AggregatingSettings, FromAggregatingServer } from './aggregating-process.js';

const settings = JSON.parse(process.argv[2] ?? '') as AggregatingSettings;
const { redis, groupMaxSize, groupConcurrency, delayMs } = settings;

const send = (message: FromAggregatingServer): void => void process.send?.(message);

const server = new AsynqServer({
  redis,
  groupGracePeriod: '2s',
  groupMaxSize,
  groupConcurrency,
  aggregator: async ({ name, tasks }) => {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return ['combined', { group: name, members: tasks.map((task) => task.payload) }];
  },
});
server.events.on('aggregated', ({ size }) => send({ kind: 'aggregated', size }));
server.events.on('aggregationFailed', () => send({ kind: 'failed' }));
process.on('disconnect', () => process.exit());

// Without handlers nothing is fetched: the combined tasks wait to be counted.
await server.start(new TaskMux());
send({ kind: 'ready' });
