import { Controller, Injectable, Module } from '@nestjs/common';
import {
  AsynqModule,
  defineTask,
  HandlerConflictError,
  InvalidOptionError,
  type Task,
  TaskHandler,
} from '../../lib/index.js';
import type { ConfigurableOptions, TaskHandlerOptions } from '../../lib/index.js';
import { of } from 'rxjs';
import { z } from 'zod';
import { aQueue, cleanUp, failureOf, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

const registered = () => AsynqModule.forRoot(options(aQueue()));

describe('@TaskHandler', () => {
  it('routes a task to the method, by the exact type or the longest prefix', async () => {
    @Injectable()
    class Images {
      @TaskHandler('image:')
      any(task: Task) {
        return `any ${task.type}`;
      }
      @TaskHandler('image:resize')
      resize() {
        return 'resize';
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Images] });
    expect(await resultOf(test, 'image:crop')).toBe('any image:crop');
    expect(await resultOf(test, 'image:resize')).toBe('resize');
  });

  it('may be used several times on one method', async () => {
    @Injectable()
    class Many {
      @TaskHandler('one')
      @TaskHandler('two')
      both(task: Task) {
        return task.type;
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Many] });
    expect(await resultOf(test, 'one')).toBe('one');
    expect(await resultOf(test, 'two')).toBe('two');
  });

  it('accepts a task definition, whose schema parses the payload', async () => {
    const copies = z.string().transform(Number).default(1);
    const Mail = defineTask('mail', { schema: z.object({ to: z.string(), copies }) });
    @Injectable()
    class Mails {
      @TaskHandler(Mail)
      send(task: Task<{ to: string; copies: number }>) {
        return task.payload;
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Mails] });
    expect(await resultOf(test, 'mail', { to: 'Ada' })).toEqual({ to: 'Ada', copies: 1 });
    expect(await resultOf(test, Mail, { to: 'Ada', copies: '3' })).toEqual({ to: 'Ada', copies: 3 });
    expect((await failureOf(test, { type: 'mail', payload: { to: 5 } })).name).toBe('InvalidPayloadError');
  });

  it('keeps `this` and what was injected', async () => {
    @Injectable()
    class Mailer {
      readonly from = 'us';
    }
    @Injectable()
    class Mails {
      readonly #secret = 'kept';
      constructor(private readonly mailer: Mailer) {}
      @TaskHandler('mail')
      send() {
        return `${this.mailer.from} ${this.#secret}`;
      }
    }
    expect(await resultOf(await startApp({ imports: [registered()], providers: [Mailer, Mails] }), 'mail')).toBe(
      'us kept',
    );
  });

  it('works on controllers, inherited methods, factories, values and custom tokens, and counts an alias once', async () => {
    @Controller()
    class FromController {
      @TaskHandler('controller')
      handle() {
        return 'controller';
      }
    }
    abstract class Base {
      abstract readonly name: string;
      @TaskHandler('inherited')
      handle() {
        return this.name;
      }
    }
    @Injectable()
    class Derived extends Base {
      readonly name = 'derived';
    }
    class Made {
      constructor(readonly name: string) {}
      @TaskHandler('factory')
      handle() {
        return this.name;
      }
    }
    class Value {
      @TaskHandler('value')
      handle() {
        return 'value';
      }
    }
    const providers = [
      { provide: 'DERIVED', useClass: Derived },
      { provide: 'ALIAS', useExisting: 'DERIVED' },
      { provide: 'MADE', useFactory: async () => new Made('factory') },
      { provide: 'VALUE', useValue: new Value() },
      { provide: 'NULL', useValue: null },
      { provide: 'TEXT', useValue: 'text' },
    ];
    const test = await startApp({ imports: [registered()], controllers: [FromController], providers });
    for (const [type, result] of [
      ['controller', 'controller'],
      ['inherited', 'derived'],
      ['factory', 'factory'],
      ['value', 'value'],
    ] as const) {
      expect(await resultOf(test, type)).toBe(result);
    }
  });

  it('stores the last value of an Observable', async () => {
    @Injectable()
    class Streams {
      @TaskHandler('stream')
      stream() {
        return of(1, 2, 3);
      }
    }
    expect(await resultOf(await startApp({ imports: [registered()], providers: [Streams] }), 'stream')).toBe(3);
  });
});

describe('options of @TaskHandler', () => {
  const config = { mails: false };
  const Config = Symbol('config');
  const provider = { provide: Config, useValue: config };

  const mailsWith = (given: ConfigurableOptions<TaskHandlerOptions>) => {
    @Injectable()
    class Mails {
      @TaskHandler('mail', given)
      send() {
        return 'sent';
      }
    }
    return Mails;
  };

  it.each([
    ['one of them', { enabled: { inject: [Config], useFactory: (given: typeof config) => given.mails } }],
    ['all', { inject: [Config], useFactory: async (given: typeof config) => ({ enabled: given.mails }) }],
  ])('may come from a factory: %s', async (_which, given) => {
    const providers = [provider, mailsWith(given)];
    config.mails = false;
    const off = await startApp({ imports: [registered()], providers });
    expect(off.log.ofAsynq()).toContainEqual(expect.stringContaining('no task handler was found'));
    config.mails = true;
    expect(await resultOf(await startApp({ imports: [registered()], providers }), 'mail')).toBe('sent');
  });

  it('omit an optional dependency of a factory', async () => {
    const factory = {
      inject: [{ token: 'absent', optional: true }],
      useFactory: (absent?: unknown) => absent === undefined,
    };
    const test = await startApp({ imports: [registered()], providers: [mailsWith({ enabled: factory })] });
    expect(await resultOf(test, 'mail')).toBe('sent');
  });

  it.each([
    [{ instnce: 'x' }, '@TaskHandler on Mails.send in AppModule: instnce is not an option; did you mean instance?'],
    [{ enabled: 'yes' }, '@TaskHandler on Mails.send in AppModule: enabled must be true or false, got "yes"'],
    [{ middleware: [1] }, '@TaskHandler on Mails.send in AppModule: middleware[0] must be a function, got 1'],
    [
      { instance: 'biling' },
      `@TaskHandler on Mails.send in AppModule: instance must be one of 'default', got "biling"`,
    ],
    ['billing', '@TaskHandler on Mails.send in AppModule: options must be an object, got "billing"'],
    [
      { enabled: { inject: ['absent'], useFactory: () => true } },
      '@TaskHandler on Mails.send in AppModule: enabled: inject[0] must be the token of a provider of this application, got "absent"',
    ],
  ])('fail the start when wrong: %j', async (given, message) => {
    const boot = startApp({ imports: [registered()], providers: [mailsWith(given as TaskHandlerOptions)] });
    await expect(boot).rejects.toThrow(InvalidOptionError);
    await expect(boot).rejects.toThrow(message);
  });
});

describe('handlers that are refused', () => {
  @Injectable()
  class First {
    @TaskHandler('same')
    one() {}
  }
  @Injectable()
  class Second {
    @TaskHandler('same')
    two() {}
  }

  it('fail the start when two have the same pattern, naming both', async () => {
    const boot = startApp({ imports: [registered()], providers: [First, Second] });
    await expect(boot).rejects.toThrow(HandlerConflictError);
    await expect(boot).rejects.toThrow(
      'Pattern "same" has two handlers: First.one in AppModule and Second.two in AppModule',
    );
  });

  it('fail the start when one provider is provided by two modules', async () => {
    @Module({ providers: [First] })
    class OtherModule {}
    await expect(startApp({ imports: [OtherModule, registered()], providers: [First] })).rejects.toThrow(
      /First\.one in \w+ and First\.one in \w+/,
    );
  });

  it('fail the start when the pattern is blank', async () => {
    @Injectable()
    class Blank {
      @TaskHandler(' ')
      nothing() {}
    }
    await expect(startApp({ imports: [registered()], providers: [Blank] })).rejects.toThrow(
      '@TaskHandler on Blank.nothing in AppModule: the pattern must not be blank',
    );
  });

  it('fail the start when the definition is missing, as after circular imports', async () => {
    const missing = undefined as unknown as string;
    @Injectable()
    class Early {
      @TaskHandler(missing)
      task() {}
    }
    await expect(startApp({ imports: [registered()], providers: [Early] })).rejects.toThrow(
      '@TaskHandler on Early.task in AppModule: the pattern must be a task type, a prefix or a definition from defineTask, got undefined',
    );
  });

  it('fail the start even if this process handles nothing', async () => {
    const imports = [AsynqModule.forRoot(options(aQueue(), { role: 'producer' }))];
    await expect(startApp({ imports, providers: [First, Second] })).rejects.toThrow(HandlerConflictError);
  });
});
