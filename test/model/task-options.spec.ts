import { defineTask } from '../../lib/model/task/task-definition.js';
import {
  type EnqueueOptions,
  layTaskOptions,
  noOptions,
  overlayTaskOptions,
  type TaskOptions,
} from '../../lib/model/task/task-options.js';

const tomorrow = new Date('2030-01-02T03:04:05.678Z');

function resolved(input: unknown, under: TaskOptions = noOptions): TaskOptions {
  return layTaskOptions(input as EnqueueOptions, { path: 'enqueue: options', under });
}

describe('enqueue options', () => {
  it.each<[EnqueueOptions, Partial<TaskOptions>]>([
    [{}, {}],
    [{ queue: ' Critical {x} 😀\n' }, { queue: ' Critical {x} 😀\n' }],
    [{ maxRetry: 0 }, { maxRetry: 0 }],
    [{ maxRetry: 2_147_483_647 }, { maxRetry: 2_147_483_647 }],
    [{ timeout: '1h30m' }, { timeout: 5_400_000 as never }],
    [{ timeout: 1_500 }, { timeout: 1_500 as never }],
    [{ timeout: '36500d' }, { timeout: 3_153_600_000_000 as never }],
    [{ deadline: tomorrow }, { deadline: tomorrow.getTime() as never }],
    [{ processAt: tomorrow }, { processAt: tomorrow.getTime() as never }],
    [{ processIn: 0 }, { processIn: 0 as never }],
    [{ unique: 1_000 }, { unique: 1_000 as never }],
    [{ taskId: 'x'.repeat(10_000) }, { taskId: 'x'.repeat(10_000) }],
    [{ retention: '24h' }, { retention: 86_400_000 as never }],
    [{ group: 'a:b' }, { group: 'a:b' }],
    [{ headers: { trace: '1', '': '' } }, { headers: { trace: '1', '': '' } }],
  ])('takes %j', (input, expected) => {
    expect(resolved(input)).toEqual({ ...noOptions, ...expected });
  });

  it.each<[string, unknown, string]>([
    ['queue', '', 'text that is not blank, got ""'],
    ['queue', ' \t\u0085', 'text that is not blank'],
    ['queue', '}x', 'a queue name that does not begin with }'],
    ['queue', 'a\ud800', 'valid Unicode text'],
    ['queue', 7, 'text that is not blank, got 7'],
    ['maxRetry', -1, 'an integer from 0 to 2147483647, got -1'],
    ['maxRetry', 1.5, 'an integer from 0 to 2147483647'],
    ['maxRetry', 2_147_483_648, 'an integer from 0 to 2147483647'],
    ['maxRetry', '3', 'an integer from 0 to 2147483647, got "3"'],
    ['timeout', -1, 'not negative, got -1'],
    ['timeout', '-5s', 'not negative, got "-5s"'],
    ['timeout', Number.NaN, 'a number of milliseconds, got NaN'],
    ['timeout', Number.POSITIVE_INFINITY, 'a number of milliseconds, got Infinity'],
    ['timeout', 'soon', 'a number of milliseconds, got "soon"'],
    ['timeout', null, 'a number of milliseconds, got null'],
    ['timeout', '36501d', 'at most 100 years'],
    ['deadline', new Date(Number.NaN), 'a valid Date, got an invalid Date'],
    ['deadline', '2030-01-01', 'a valid Date'],
    ['processAt', 1_893_456_000_000, 'a valid Date'],
    ['processAt', new Date(Date.UTC(10_000, 0)), 'a Date before the year 10000'],
    ['processIn', '-1ms', 'not negative'],
    ['unique', 300, 'at least one second, got 300'],
    ['unique', '999ms', 'at least one second'],
    ['taskId', ' ', 'text that is not blank'],
    ['retention', '-24h', 'not negative'],
    ['group', '\n', 'text that is not blank'],
    ['headers', 'trace=1', 'an object'],
    ['headers', new Map([['trace', '1']]), 'an object of strings'],
    ['headers', { trace: 1 }, 'headers.trace must be a string, got 1'],
    ['headers', { trace: '\udc00' }, 'headers.trace must be valid Unicode text'],
    ['headers', { '\udc00': 'x' }, 'must be valid Unicode text'],
  ])('refuses %s: %p', (name, value, message) => {
    expect(() => resolved({ [name]: value })).toThrow(message);
    expect(() => resolved({ [name]: value })).toThrow(`enqueue: options.${name}`);
  });

  it('refuses an unknown name and suggests the right one', () => {
    expect(() => resolved({ proccessIn: '1h' })).toThrow(
      'enqueue: options.proccessIn is not an option; did you mean processIn?',
    );
    expect(() => resolved({ zzz: 1 })).toThrow(
      'enqueue: options.zzz is not an option; the options are queue, maxRetry',
    );
    expect(() => resolved(null)).toThrow('enqueue: options must be an object, got null');
    expect(() => resolved(['queue'])).toThrow('enqueue: options must be an object');
  });

  it('C-12 reports the first wrong option, in the order written', () => {
    expect(() => resolved({ group: '', queue: '' })).toThrow('options.group');
    expect(() => resolved({ queue: '', group: '' })).toThrow('options.queue');
  });

  it('refuses processAt together with processIn', () => {
    expect(() => resolved({ processAt: tomorrow, processIn: '1h' })).toThrow(
      'enqueue: options.processIn must be left out when processAt is given',
    );
  });

  it('treats an undefined option as omitted', () => {
    const under = resolved({ queue: 'low', processIn: '1h' });
    expect(resolved({ queue: undefined, processAt: undefined }, under)).toEqual(under);
  });

  describe('laid over those of a definition', () => {
    const Feed = defineTask('feed:import', {
      queue: 'feed',
      maxRetry: 5,
      processIn: '1h',
      headers: { a: '1', b: '1' },
    });
    const { options: under } = Feed;

    it('C-07 keep them where they have no value', () => {
      expect(resolved(undefined, under)).toBe(under);
      expect(resolved({}, under)).toEqual(under);
    });

    it('C-08 replace the same kind, the others stay', () => {
      expect(resolved({ queue: 'critical' }, under)).toEqual({ ...under, queue: 'critical' });
    });

    it('C-10 replace processIn by processAt, and the reverse', () => {
      const at = resolved({ processAt: tomorrow }, under);
      expect(at).toMatchObject({ processAt: tomorrow.getTime(), processIn: undefined });
      expect(resolved({ processIn: '2h' }, at)).toMatchObject({ processAt: undefined, processIn: 7_200_000 });
    });

    it('C-60 C-63 merge headers by key and change neither side', () => {
      const call = { b: '2', c: '2' };
      expect(resolved({ headers: call }, under).headers).toEqual({ a: '1', b: '2', c: '2' });
      expect(call).toEqual({ b: '2', c: '2' });
      expect(under.headers).toEqual({ a: '1', b: '1' });
    });

    it('C-11 C-67 are refused when wrong, as is a definition with wrong options', () => {
      expect(() => defineTask('x', { queue: '' })).toThrow('defineTask: options.queue must be text that is not blank');
      expect(() => resolved({ queue: '' }, under)).toThrow('enqueue: options.queue');
    });

    it('give the same result when merged as a whole', () => {
      const inputs: EnqueueOptions[] = [
        {},
        { queue: 'low', unique: '1h', taskId: 'i', group: 'g' },
        { processAt: tomorrow, headers: { b: '3' } },
        { processIn: 0, timeout: '1s', deadline: tomorrow, retention: '1h', maxRetry: 0 },
      ];
      for (const input of inputs) {
        expect(overlayTaskOptions(under, resolved(input))).toEqual(resolved(input, under));
      }
    });
  });

  it('C-05 copies the headers of the caller', () => {
    const headers: Record<string, string> = { a: '1' };
    const options = resolved({ headers });
    headers['a'] = '2';
    expect(options.headers).toEqual({ a: '1' });
  });

  it('accepts headers of any name, including those of object internals', () => {
    const headers = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    expect(Object.entries(resolved({ headers }).headers ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });
});
