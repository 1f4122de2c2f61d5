import { z } from 'zod';
import { isStandardSchema, type StandardSchemaV1, validate } from '../../lib/model/task/standard-schema.js';
import { defineTask } from '../../lib/model/task/task-definition.js';
import { noOptions } from '../../lib/model/task/task-options.js';

const User = z.object({ userId: z.number(), locale: z.string().default('en') });

describe('defineTask', () => {
  it('returns a frozen definition with a type and options', () => {
    const definition = defineTask<{ userId: number }>('email:send', { maxRetry: 3 });
    expect(definition).toEqual({ type: 'email:send', options: { ...noOptions, maxRetry: 3 }, schema: undefined });
    expect(Object.isFrozen(definition)).toBe(true);
  });

  it('C-18 keeps the type unchanged, including case and spaces', () => {
    expect(defineTask(' Email:Send ').type).toBe(' Email:Send ');
  });

  it.each([
    ['', 'not blank'],
    [' \t', 'not blank'],
    [undefined, 'not blank'],
    ['a\ud800', 'valid Unicode'],
  ])('C-01 C-02 refuses the type %p', (type, message) => {
    expect(() => defineTask(type as string)).toThrow(message);
  });

  it('refuses unknown options and invalid schemas', () => {
    expect(() => defineTask('x', { maxRetries: 1 } as never)).toThrow('did you mean maxRetry?');
    expect(() => defineTask('x', { schema: {} as never })).toThrow(
      'defineTask: options.schema must be a Standard Schema',
    );
  });

  it('keeps its schema', () => {
    expect(defineTask('email:send', { schema: User }).schema).toBe(User);
  });
});

describe('validate', () => {
  it('returns the output of the schema synchronously', () => {
    expect(validate(User, { userId: 1, extra: true })).toEqual({ userId: 1, locale: 'en' });
  });

  it('waits for an asynchronous schema', async () => {
    const known = z.number().refine(async (id) => await Promise.resolve(id === 1), 'no such user');
    await expect(validate(asyncOnly(known), 1)).resolves.toBe(1);
    await expect(validate(asyncOnly(known), 2)).rejects.toMatchObject({
      code: 'ASYNQ_INVALID_PAYLOAD',
      message: 'the payload does not match its schema: no such user',
    });
  });

  it('reports every fault with its place', () => {
    let thrown: unknown;
    try {
      void validate(User, { userId: 'x', locale: 1 });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'ASYNQ_INVALID_PAYLOAD',
      issues: [{ path: ['userId'] }, { path: ['locale'] }],
      message: expect.stringMatching(/^the payload does not match its schema at userId: .* \(and 1 more\)$/) as string,
    });
  });

  it('reads paths written either way', () => {
    const schema: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => ({ issues: [{ message: 'wrong', path: [{ key: 'items' }, 0] }] }),
      },
    };
    expect(() => validate(schema, {})).toThrow('the payload does not match its schema at items.0: wrong');
  });
});

describe('isStandardSchema', () => {
  it.each([
    [User, true],
    [asyncOnly(User), true],
    [Object.assign(() => 0, asyncOnly(User)), true],
    [{}, false],
    [null, false],
    ['x', false],
  ])('returns for %p: %p', (value, expected) => {
    expect(isStandardSchema(value)).toBe(expected);
  });
});

/** The schema without its synchronous face. */
function asyncOnly<T>(schema: z.ZodType<T>): StandardSchemaV1<unknown, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => await (schema as unknown as StandardSchemaV1<unknown, T>)['~standard'].validate(value),
    },
  };
}
