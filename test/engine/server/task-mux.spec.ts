import { z } from 'zod';
import type { Middleware } from '../../../lib/engine/middleware.js';
import { detachedTask, type Task } from '../../../lib/engine/server/handler-task.js';
import { TaskMux } from '../../../lib/engine/server/task-mux.js';
import { defineTask } from '../../../lib/model/task/task-definition.js';
import { jsonCodec } from '../../../lib/model/task/payload.codec.js';
import { aTaskMessage } from '../../support/a-task-message.js';

/** A task that belongs to no run. */
function aTask(type: string, payload: unknown = {}): Task {
  return detachedTask(aTaskMessage({ type, payload: jsonCodec.encode(payload) }), jsonCodec);
}

const run = (mux: TaskMux, type: string, payload?: unknown): unknown =>
  mux.handlerFor(type).handler(aTask(type, payload));

describe('TaskMux', () => {
  it('S-122, S-128 prefers the exact pattern, then the longest prefix, in any order of registration', () => {
    for (const patterns of [
      ['email:', 'email:signup', 'email:sign:', 'email:s:'],
      ['email:s:', 'email:sign:', 'email:signup', 'email:'],
    ]) {
      const mux = new TaskMux();
      for (const pattern of patterns) mux.handle(pattern, () => pattern);
      expect(run(mux, 'email:signup')).toBe('email:signup');
      expect(run(mux, 'email:daily')).toBe('email:');
      expect(run(mux, 'email:sign:in')).toBe('email:sign:');
      expect(mux.handlerFor('email:signup:again').pattern).toEqual({ type: 'email:', match: 'prefix' });
    }
  });

  it('matches exactly, unless the pattern ends in a colon or is declared a prefix', () => {
    const definition = defineTask('user:invite');
    const root = defineTask('audit:');
    const mux = new TaskMux()
      .handle('user:delete', () => 'deleted')
      .handle(definition, () => 'invited')
      .handle(root, () => 'audited')
      .handle('image', () => 'image', { match: 'prefix' })
      .handle('report:', () => 'report', { match: 'exact' });
    for (const type of ['user:delete-avatar', 'user:delete:', 'user:invited', 'audit:x', 'report:x', 'imag']) {
      expect(mux.handlerFor(type).pattern).toBeUndefined();
    }
    expect(run(mux, 'user:delete')).toBe('deleted');
    expect(run(mux, 'user:invite')).toBe('invited');
    expect(run(mux, 'audit:')).toBe('audited');
    expect(run(mux, 'images')).toBe('image');
    expect(run(mux, 'report:')).toBe('report');
  });

  it('may have a prefix and a handler for exactly that text', () => {
    const mux = new TaskMux().handle('a:', () => 'prefix').handle('a:', () => 'exact', { match: 'exact' });
    expect(run(mux, 'a:')).toBe('exact');
    expect(run(mux, 'a:b')).toBe('prefix');
  });

  it('S-123, S-127 finds nothing for a type that is only the start of a pattern', () => {
    const mux = new TaskMux().handle('csv:export', () => 'done');
    expect(mux.handlerFor('csv:').pattern).toBeUndefined();
    expect(() => run(mux, 'csv:')).toThrow('handler not found for task "csv:"');
    expect(() => run(mux, 'csv:')).toThrow(expect.objectContaining({ code: 'ASYNQ_HANDLER_NOT_FOUND', type: 'csv:' }));
  });

  it('is sensitive to case and spaces', () => {
    const mux = new TaskMux().handle(' Email:', () => 'yes');
    expect(mux.handlerFor(' Email:x').pattern).toEqual({ type: ' Email:', match: 'prefix' });
    expect(mux.handlerFor(' email:x').pattern).toBeUndefined();
    expect(mux.handlerFor('Email:').pattern).toBeUndefined();
  });

  it.each<[string, (mux: TaskMux) => unknown]>([
    ['a blank pattern', (mux) => mux.handle('  ', () => {})],
    ['a pattern twice', (mux) => mux.handle('a', () => {}).handle('a', () => {})],
    ['a prefix twice', (mux) => mux.handle('a:', () => {}).handle('a:', () => {}, { match: 'prefix' })],
    ['a wildcard', (mux) => mux.handle('a:*', () => {})],
    ['a definition as a prefix', (mux) => mux.handle(defineTask('a'), () => {}, { match: 'prefix' })],
    ['an unknown match', (mux) => mux.handle('a', () => {}, { match: 'glob' as never })],
    ['an unknown option', (mux) => mux.handle('a', () => {}, { prefix: true } as never)],
    ['no pattern at all', (mux) => mux.handle(undefined as never, () => {})],
    ['a missing handler', (mux) => mux.handle('a', undefined as never)],
    ['a mux in itself', (mux) => mux.handle('a', mux)],
    ['a mux in itself, further down', (mux) => mux.handle('a', new TaskMux().handle('b', mux))],
  ])('S-124 refuses %s', (_, register) => {
    expect(() => register(new TaskMux())).toThrow();
  });

  it('S-125, S-126 runs middleware in the order given, around matched and unmatched types', () => {
    const calls: string[] = [];
    const layer =
      (name: string): Middleware =>
      (next) =>
      (task) => {
        calls.push(`${name} in`);
        try {
          return next(task);
        } finally {
          calls.push(`${name} out`);
        }
      };
    const mux = new TaskMux().use(layer('a'), layer('b')).handle('x', () => calls.push('handler'));
    mux.use(layer('c'));
    run(mux, 'x');
    expect(calls).toEqual(['a in', 'b in', 'c in', 'handler', 'c out', 'b out', 'a out']);
    calls.length = 0;
    expect(() => run(mux, 'unknown')).toThrow('handler not found');
    expect(calls).toEqual(['a in', 'b in', 'c in', 'c out', 'b out', 'a out']);
  });

  it('S-129 can be nested in another mux, and handles patterns that are added later', () => {
    const calls: string[] = [];
    const inner = new TaskMux().handle('image:resize', () => 'resized');
    const outer = new TaskMux()
      .use((next) => (task) => {
        calls.push('outer');
        return next(task);
      })
      .handle('image:', inner);
    expect(run(outer, 'image:resize')).toBe('resized');
    expect(outer.handlerFor('image:crop').pattern).toBeUndefined();
    inner
      .handle('image:crop', () => 'cropped')
      .use((next) => (task) => {
        calls.push('inner');
        return next(task);
      });
    calls.length = 0;
    expect(run(outer, 'image:crop')).toBe('cropped');
    expect(calls).toEqual(['outer', 'inner']);
  });

  it('routes a definition by its type, and passes its schema’s output to the handler', async () => {
    const Signup = defineTask('signup', { schema: z.object({ user: z.number(), plan: z.string().default('free') }) });
    const Late = defineTask('late', {
      schema: z.object({ user: z.number() }).refine(async () => await Promise.resolve(true)),
    });
    const mux = new TaskMux().handle(Signup, (task) => task.payload).handle(Late, (task) => task.payload);
    expect(run(mux, 'signup', { user: 1, extra: true })).toEqual({ user: 1, plan: 'free' });
    expect(() => run(mux, 'signup', { user: 'x' })).toThrow(expect.objectContaining({ code: 'ASYNQ_INVALID_PAYLOAD' }));
    expect(await run(mux, 'late', { user: 2 })).toEqual({ user: 2 });
    await expect(async () => await run(mux, 'late', {})).rejects.toMatchObject({ code: 'ASYNQ_INVALID_PAYLOAD' });
  });

  it('says what to write instead of a wildcard, and accepts a literal asterisk', () => {
    const mux = new TaskMux();
    expect(() => mux.handle('email:*', () => {})).toThrow('write "email:"');
    expect(() => mux.handle('image*', () => {})).toThrow('write "image" with { match: \'prefix\' }');
    expect(
      run(
        mux.handle('2*3', () => 6, { match: 'exact' }),
        '2*3',
      ),
    ).toBe(6);
  });

  it('lists its patterns, including those of a nested mux that tasks can reach', () => {
    const inner = new TaskMux()
      .handle('image:resize', () => {})
      .handle('video:cut', () => {})
      .handle('image:gif:', () => {});
    const mux = new TaskMux()
      .handle('b', () => {})
      .handle('a:', () => {})
      .handle('image:', inner);
    mux.handle('video:cut', inner).handle('none', inner);
    expect(mux.patterns).toEqual(
      expect.arrayContaining([
        { type: 'b', match: 'exact' },
        { type: 'a:', match: 'prefix' },
        { type: 'image:resize', match: 'exact' },
        { type: 'image:gif:', match: 'prefix' },
        { type: 'video:cut', match: 'exact' },
      ]),
    );
    expect(mux.patterns).toHaveLength(5);
    expect(mux.patterns).toBe(mux.patterns);
    inner.handle('image:', () => {});
    expect(mux.patterns).toContainEqual({ type: 'image:', match: 'prefix' });
  });

  it('remembers a bounded number of types', () => {
    const mux = new TaskMux().handle('image:', () => 'yes');
    for (let index = 0; index < 5_000; index += 1) run(mux, `image:${index}`);
    expect(run(mux, 'image:1')).toBe('yes');
  });
});
