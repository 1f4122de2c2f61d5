import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable, UseFilters } from '@nestjs/common';
import { EMPTY, of, throwError } from 'rxjs';
import { AsynqModule, RevokeTaskError, SkipRetryError, TaskHandler } from '../../lib/index.js';
import { aQueue, cleanUp, failureOf, nextEvent, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

/** An application whose one handler throws, with a filter that answers as it is told. */
const withFilter = (answer: (error: Error, host: ArgumentsHost) => unknown) => {
  @Catch()
  class Filter implements ExceptionFilter {
    catch(error: Error, host: ArgumentsHost) {
      return answer(error, host);
    }
  }
  @Injectable()
  class Tasks {
    @TaskHandler('fails')
    @UseFilters(Filter)
    async fails() {
      throw new RangeError("the handler's");
    }
  }
  return startApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Tasks] });
};

describe('an exception filter', () => {
  it.each([
    ['nothing', () => undefined],
    ['null', () => null],
    ['nothing, later', async () => undefined],
    ['the error', (error: Error) => error],
    ['another error', () => new Error('mapped')],
    ['another error, later', async () => new Error('mapped')],
    ['a stream that fails', () => throwError(() => new Error('mapped'))],
    ['a stream of an error', () => of(new Error('mapped'))],
    ['a stream without a value', () => EMPTY],
  ])("keeps the handler's error when it returns %s", async (_what, answer) => {
    const error = await failureOf(await withFilter(answer), { type: 'fails', event: 'retry' });
    expect(error).toEqual(new RangeError("the handler's"));
  });

  it.each([
    ['a value', () => 'x'],
    ['a value, later', async () => 'x'],
    ['a stream', () => of('w', 'x')],
    ['a promise of a stream', async () => of('x')],
  ])('uses %s that it returns as the result', async (_what, answer) => {
    expect(await resultOf(await withFilter(answer), 'fails')).toBe('x');
  });

  it.each([
    ['false', false],
    ['0', 0],
    ['an empty text', ''],
  ])('also uses %s as the result', async (_what, value) => {
    expect(await resultOf(await withFilter(() => value), 'fails')).toBe(value);
  });

  it.each([
    [
      'throws',
      'response.status is not a function',
      (_error: Error, host: ArgumentsHost) => {
        const response = {
          status: undefined as unknown as (code: number) => void,
          of: host.switchToHttp().getResponse<object>(),
        };
        response.status(500);
      },
    ],
    ['rejects', 'no reply', () => Promise.reject(new TypeError('no reply'))],
    [
      'reads what only HTTP has',
      "Cannot read properties of undefined (reading 'status')",
      (_error: Error, host: ArgumentsHost) =>
        host.switchToHttp().getResponse<{ status(code: number): unknown }>().status(500),
    ],
  ])(
    "keeps the handler's error when it %s itself, and logs that error with its stack",
    async (_what, message, answer) => {
      const test = await withFilter(answer);
      const error = await failureOf(test, { type: 'fails', event: 'retry' });
      expect(error).toEqual(new RangeError("the handler's"));
      const line = test.log
        .ofAsynq()
        .find((text) => text.startsWith('An exception filter of Tasks.fails in AppModule failed: '));
      expect(line).toContain(message);
      expect(line).toMatch(/\n {4}at /);
    },
  );

  it.each([
    [
      'throws it',
      (error: Error) => {
        throw error;
      },
    ],
    [
      'fails a stream with what it is, as filters of microservices do',
      (error: Error) => throwError(() => error.message),
    ],
  ])('may pass the error on, and nothing is logged about the filter: it %s', async (_how, answer) => {
    const test = await withFilter(answer);
    expect(await failureOf(test, { type: 'fails', event: 'retry' })).toEqual(new RangeError("the handler's"));
    // The lines about the failure itself have stacks, in which this file has its name.
    expect(test.log.ofAsynq().filter((line) => line.split('\n')[0]?.includes('filter'))).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new SkipRetryError('no use');
      },
    ],
    ['returns', () => new SkipRetryError('no use')],
    ['rejects with', () => Promise.reject(new SkipRetryError('no use'))],
    ['streams', () => throwError(() => new SkipRetryError('no use'))],
  ])('decides about the task when it %s SkipRetryError', async (_how, answer) => {
    const test = await withFilter(answer);
    const archived = nextEvent(test, { event: 'archived', type: 'fails' });
    await test.client.enqueue('fails', undefined, { maxRetry: 5 });
    expect((await archived).error).toMatchObject({ message: 'no use' });
  });

  it('may revoke the task', async () => {
    const test = await withFilter(() => {
      throw new RevokeTaskError('withdrawn');
    });
    const revoked = nextEvent(test, { event: 'revoked', type: 'fails' });
    await test.client.enqueue('fails', undefined, { maxRetry: 5 });
    expect((await revoked).task.type).toBe('fails');
  });
});
