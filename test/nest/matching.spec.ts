import { Injectable } from '@nestjs/common';
import { AsynqModule, defineTask, InvalidOptionError, type Task, TaskHandler } from '../../lib/index.js';
import { z } from 'zod';
import { aQueue, cleanUp, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

const registered = () => AsynqModule.forRoot(options(aQueue()));

describe('what a handler matches', () => {
  it('matches the exact type, unless the pattern ends in a colon or is declared a prefix', async () => {
    const Mail = defineTask('mail:send', { schema: z.object({ to: z.string() }) });
    @Injectable()
    class Users {
      @TaskHandler('user:delete')
      delete() {
        return 'deleted';
      }
      @TaskHandler(Mail)
      send() {
        return 'sent';
      }
      @TaskHandler('user', { match: 'prefix' })
      any(task: Task) {
        return `any ${task.type}`;
      }
      @TaskHandler('mail:')
      other(task: Task) {
        return `other ${task.type}`;
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Users] });
    expect(await resultOf(test, 'user:delete')).toBe('deleted');
    expect(await resultOf(test, 'user:delete-avatar')).toBe('any user:delete-avatar');
    expect(await resultOf(test, 'mail:send-bulk')).toBe('other mail:send-bulk');
  });

  it('refuses a wildcard and a definition as a prefix, naming the method', async () => {
    @Injectable()
    class Wild {
      @TaskHandler('mail:*')
      any() {}
    }
    @Injectable()
    class Wide {
      @TaskHandler(defineTask('mail'), { match: 'prefix' })
      any() {}
    }
    await expect(startApp({ imports: [registered()], providers: [Wild] })).rejects.toThrow(
      /@TaskHandler on Wild\.any in AppModule: the pattern has a wildcard.*write "mail:"/,
    );
    await expect(startApp({ imports: [registered()], providers: [Wide] })).rejects.toThrow(InvalidOptionError);
  });
});
