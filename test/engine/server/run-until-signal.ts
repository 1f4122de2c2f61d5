// A server in a process of its own that runs until it is told to end; says on its output what happens.
import { writeSync } from 'node:fs';
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';

const [redis = '', queue = '', handling = ''] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);
const logger = { debug() {}, info: say, warn: say, error: say };
const server = new AsynqServer({ redis, queues: { [queue]: 1 }, logger, shutdownTimeout: '20s' });
server.events.on('started', () => say('a task began'));

void server
  .run(async () => {
    if (handling === 'never-ends') await new Promise(() => {});
  })
  .then(() => say('run has returned'))
  .catch((error: unknown) => say(`run has failed: ${String(error)}`));
