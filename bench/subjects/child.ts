// The process in which one subject is measured: `node --expose-gc child.js <subject>`, orders come as messages.
import { CarryOut } from './carry-out.js';
import type { Answer, Request } from './orders.js';
import type { Subject } from './subject.js';

const loaders: Readonly<Record<string, () => Promise<Subject>>> = {
  'nestjs-asynq': async () => (await import('./nest.js')).nest,
  engine: async () => (await import('./engine.js')).engine,
  embedded: async () => (await import('./nest.js')).embedded,
  bullmq: async () => (await import('./bullmq.js')).bullmq,
};

const name = process.argv[2] ?? '';
const load = loaders[name];
if (load === undefined) throw new Error(`no subject "${name}"`);
const carryOut = new CarryOut(await load());

process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit());

async function answer(request: Request): Promise<Answer> {
  try {
    return { figures: await carryOut.run(request) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
