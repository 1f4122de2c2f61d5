import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Answer, Request } from './orders.js';

const limitMs = 300_000;

/** A subject that runs in a Node process of its own, from the first order to {@link NodeSubject.close}. */
export class NodeSubject {
  #child: ChildProcess | undefined;

  constructor(readonly name: string) {}

  /** Has an order carried out; rejects when the subject fails, ends or takes too long. */
  async measure(request: Request): Promise<readonly number[]> {
    const child = (this.#child ??= fork(join(import.meta.dirname, 'child.js'), [this.name], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }));
    const answer = await new Promise<Answer>((resolve) => {
      const onExit = (code: number | null): void => resolve({ error: `ended with status ${code}` });
      const timer = setTimeout(() => resolve({ error: `took longer than ${limitMs / 1_000} s` }), limitMs);
      child.once('exit', onExit);
      child.once('message', (message) => {
        clearTimeout(timer);
        child.off('exit', onExit);
        resolve(message as Answer);
      });
      child.send(request);
    });
    if ('error' in answer) throw new Error(`${this.name}, ${JSON.stringify(request)}: ${answer.error}`);
    return answer.figures;
  }

  close(): void {
    this.#child?.kill();
  }
}
