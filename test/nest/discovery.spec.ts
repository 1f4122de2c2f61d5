import * as fs from 'node:fs';
import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { AsynqModule, Task, TaskHandler } from '../../lib/index.js';
import { aQueue, cleanUp, failureOf, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

const registered = () => AsynqModule.forRoot(options(aQueue()));

@Injectable()
class Plain {
  @TaskHandler('plain')
  plain() {
    return 'found';
  }
}

describe('discovery', () => {
  const throwing = (): never => {
    throw new Error('not to be looked at');
  };
  class Getters {
    get broken(): never {
      return throwing();
    }
    static get also(): never {
      return throwing();
    }
  }
  class NoConstructor {
    method() {}
  }
  Object.defineProperty(NoConstructor.prototype, 'constructor', { value: 'text' });

  it.each<readonly [string, unknown]>([
    ['a namespace import', fs],
    ['an object without a prototype', Object.create(null)],
    ['the groups of a regular expression', /(?<year>.)/.exec('x')?.groups],
    ['an object whose prototype has none', Object.create(Object.create(null) as object)],
    ['getters that throw', new Getters()],
    ['a class', Getters],
    ['a constructor that is text', new NoConstructor()],
    ['an array', [1, 2]],
    ['a map', new Map([[1, 2]])],
    ['a function', () => throwing()],
    ['a symbol', Symbol('x')],
    ['a number', 5],
    ['nothing', undefined],
  ])('passes over a provided value of any shape: %s', async (_what, useValue) => {
    const providers = [{ provide: 'ODD', useFactory: () => useValue }, Plain];
    const test = await startApp({ imports: [registered()], providers });
    expect(await resultOf(test, 'plain')).toBe('found');
  });

  it('skips an object that throws on every access', async () => {
    const value = new Proxy({}, { getPrototypeOf: throwing, ownKeys: throwing, getOwnPropertyDescriptor: throwing });
    const providers = [{ provide: 'HOSTILE', useFactory: () => value }, Plain];
    const test = await startApp({ imports: [registered()], providers });
    expect(await resultOf(test, 'plain')).toBe('found');
  });

  it('finds one object once, under any number of tokens', async () => {
    const providers = [Plain, { provide: 'ALSO', inject: [Plain], useFactory: (plain: Plain) => plain }];
    expect(await resultOf(await startApp({ imports: [registered()], providers }), 'plain')).toBe('found');
  });

  it('finds a method that is named by a symbol', async () => {
    const name = Symbol('run');
    @Injectable()
    class Symbols {
      @TaskHandler('symbol')
      [name]() {
        return 'found';
      }
    }
    expect(await resultOf(await startApp({ imports: [registered()], providers: [Symbols] }), 'symbol')).toBe('found');
  });
});

describe('what a factory creates for every task', () => {
  class Made {
    constructor(readonly task: unknown) {}
    @TaskHandler('made')
    handle(task: Task) {
      return { isTask: this.task === task, type: task.type };
    }
  }

  it.each([
    [
      'is request-scoped',
      { provide: Made, useFactory: (task: unknown) => new Made(task), inject: [REQUEST], scope: Scope.REQUEST },
    ],
    [
      'needs what is request-scoped',
      { provide: Made, useFactory: (task: unknown) => new Made(task), inject: [REQUEST] },
    ],
  ])('is found by the class that it is provided as: %s', async (_how, provider) => {
    const test = await startApp({ imports: [registered()], providers: [provider] });
    expect(await resultOf(test, 'made')).toEqual({ isTask: true, type: 'made' });
  });

  it('is found when it is transient', async () => {
    const provider = { provide: Made, useFactory: () => new Made(undefined), scope: Scope.TRANSIENT };
    const test = await startApp({ imports: [registered()], providers: [provider] });
    expect(await resultOf(test, 'made')).toEqual({ isTask: false, type: 'made' });
  });

  it('fails its task when it is not an instance of that class', async () => {
    const provider = { provide: Made, useFactory: () => ({}), scope: Scope.REQUEST };
    const test = await startApp({ imports: [registered()], providers: [provider] });
    const error = await failureOf(test, { type: 'made' });
    expect(error.message).toBe('Made.handle in AppModule is not a method of what its provider has created');
  });

  it('is created with its own REQUEST when a class needs it', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(REQUEST) readonly task: Task) {}
      @TaskHandler('scoped')
      handle(task: Task) {
        return this.task === task;
      }
    }
    expect(await resultOf(await startApp({ imports: [registered()], providers: [Scoped] }), 'scoped')).toBe(true);
  });
});
