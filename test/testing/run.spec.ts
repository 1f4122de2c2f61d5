import { BadRequestException, Injectable, UseGuards } from '@nestjs/common';
import {
  type Middleware,
  RevokeTaskError,
  SkipRetryError,
  SnoozeError,
  type Task,
  TaskHandler,
  TaskPayload,
} from '../../lib/index.js';
import { appWith, closeApps, Scripted } from './app-under-test.js';

afterEach(closeApps);

@Injectable()
class Decisive {
  @TaskHandler('decide')
  decide(task: Task<string>): unknown {
    if (task.payload === 'skip') throw new SkipRetryError('enough');
    if (task.payload === 'revoke') throw new RevokeTaskError('never mind');
    if (task.payload === 'snooze') throw new SnoozeError('5m');
    return { id: task.id, retried: task.retried, maxRetry: task.maxRetry, headers: task.headers };
  }

  @UseGuards({ canActivate: () => false })
  @TaskHandler('guarded')
  guarded(): void {}

  @TaskHandler('piped')
  piped(@TaskPayload({ transform: (value: unknown) => (value === 'bad' ? refuse() : value) }) payload: string): string {
    return payload;
  }
}

function refuse(): never {
  throw new BadRequestException('bad payload');
}

describe('run', () => {
  it('returns the result of the handler, and leaves no trace', async () => {
    const { kit } = await appWith([Decisive]);
    const options = { taskId: 'mine', retried: 2, maxRetry: 7, headers: { a: 'b' } };
    const result = { id: 'mine', retried: 2, maxRetry: 7, headers: { a: 'b' } };
    expect(await kit.run('decide', 'go', options)).toEqual({ outcome: 'completed', result });
    expect(kit.enqueued()).toEqual([]);
    expect(kit.tasks()).toEqual([]);
  });

  it('returns what a worker would do with a failure', async () => {
    const { kit } = await appWith([Scripted, Decisive], {
      options: { server: { retryDelay: (n) => (n + 1) * 1_000 } },
    });
    const retryAt = new Date(kit.now().getTime() + 3_000);
    const error: unknown = expect.objectContaining({ message: 'no such luck' });
    expect(await kit.run('fail', {}, { retried: 2 })).toEqual({ outcome: 'retry', error, retryIn: 3_000, retryAt });
    expect(await kit.run('fail', {}, { maxRetry: 0 })).toEqual({ outcome: 'archived', error });
    expect(await kit.run('decide', 'skip')).toMatchObject({ outcome: 'archived', error: { message: 'enough' } });
    expect(await kit.run('decide', 'revoke')).toMatchObject({ outcome: 'revoked' });
    expect(await kit.run('decide', 'snooze')).toMatchObject({ outcome: 'snoozed', snoozedFor: 300_000 });
    expect(await kit.run('unheard-of')).toEqual({ outcome: 'returned' });
  });

  it('goes through middleware, guards, pipes and injected failures', async () => {
    const types: string[] = [];
    const middleware: Middleware = (next) => (task) => {
      types.push(task.type);
      return next(task);
    };
    const { kit } = await appWith([Decisive], { options: { middleware: [middleware] } });
    expect(await kit.run('guarded')).toMatchObject({ outcome: 'retry', error: { message: 'Forbidden resource' } });
    expect(await kit.run('piped', 'good')).toEqual({ outcome: 'completed', result: 'good' });
    expect(await kit.run('piped', 'bad')).toMatchObject({
      outcome: 'archived',
      error: { code: 'ASYNQ_INVALID_PAYLOAD' },
    });
    kit.failNext('piped', new Error('injected'));
    expect(await kit.run('piped', 'good')).toMatchObject({ outcome: 'retry', error: { message: 'injected' } });
    expect(types).toEqual(['guarded', 'piped', 'piped', 'piped']);
  });

  it('lets its handler meet a timeout when time moves', async () => {
    const { kit } = await appWith([Scripted]);
    const running = kit.run('wait', {}, { timeout: '30s', maxRetry: 0 });
    await kit.advance('1m');
    expect(await running).toMatchObject({ outcome: 'archived', error: { code: 'ASYNQ_DEADLINE_EXCEEDED' } });
  });
});
