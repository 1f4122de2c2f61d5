// Another worker, in a process of its own and a while later than everybody else: leases that hold for others are long over
// for it. Does what it can take until it has done so many tasks, and prints what it has announced.
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import { silentLogger } from '../../../lib/engine/logger.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import { epochMs } from '../../../lib/model/time/duration.js';

const [redis = '', queue = '', later = '', tasks = ''] = process.argv.slice(2);
const clock = { ...systemClock, isVirtual: true, now: () => epochMs(systemClock.now() + Number(later)) };
const server = new AsynqServer({ redis, clock, queues: { [queue]: 1 }, logger: silentLogger, retryDelay: () => 0 });
const announced: string[] = [];
for (const name of ['recovered', 'started', 'retry'] as const) {
  server.events.on(name, ({ task }) => void announced.push(`${name} ${task.id}`));
}
let left = Number(tasks);
server.events.on('completed', ({ task }) => {
  announced.push(`completed ${task.id}`);
  left -= 1;
  if (left === 0) void server.shutdown().then(() => console.log(JSON.stringify(announced)));
});

void server.start(() => 'by the other');
