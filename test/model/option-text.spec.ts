import * as fc from 'fast-check';
import { goQuote, goUnquote } from '../../lib/model/task/go-quote.js';
import { encodeOptions, decodeOptions } from '../../lib/model/task/option-text.codec.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from '../../lib/model/task/task-options.js';
import { ms } from '../../lib/model/time/duration.js';
import { formatGoDuration, parseUnixDate } from '../../lib/model/time/go-time-text.js';

const options = (input: EnqueueOptions): TaskOptions => layTaskOptions(input, { path: 'test:', under: noOptions });

// Written by Go 1.24.
const quoted: readonly (readonly [string, string])[] = [
  ['low', '"low"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['tab\tnl\nbell\u0007esc\u001b del\u007f', '"tab\\tnl\\nbell\\aesc\\x1b del\\x7f"'],
  ['héllo 日本 😀', '"héllo 日本 😀"'],
  ['\u00a0\u200b\ufeff\u2028', '"\\u00a0\\u200b\\ufeff\\u2028"'],
  ['\u0085\u00ad', '"\\u0085\\u00ad"'],
  ['\u{e0001}', '"\\U000e0001"'],
  ['\u0378', '"\\u0378"'],
  ['e\u0301', '"e\u0301"'],
  ['\ue000', '"\\ue000"'],
];
const durations: readonly (readonly [number, string])[] = [
  [0, '0s'],
  [0.000_007, '7ns'],
  [0.001, '1µs'],
  [0.001_5, '1.5µs'],
  [1.5, '1.5ms'],
  [250, '250ms'],
  [1_000, '1s'],
  [1_500, '1.5s'],
  [60_000, '1m0s'],
  [90_000, '1m30s'],
  [3_599_999, '59m59.999s'],
  [3_600_000, '1h0m0s'],
  [86_400_000, '24h0m0s'],
  [7_380_000, '2h3m0s'],
  [-1_000, '-1s'],
  [-1.5, '-1.5ms'],
];

describe('text form of options', () => {
  it.each(quoted)('C-74 quotes %j as Go does, and reads it back', (text, expected) => {
    expect(goQuote(text)).toBe(expected);
    expect(goUnquote(expected)).toBe(text);
  });

  it.each(durations)('C-74 writes %d ms as Go does', (length, expected) => {
    expect(formatGoDuration(ms(length))).toBe(expected);
  });

  it('C-74 P-17 writes every kind', () => {
    const all = options({
      maxRetry: 3,
      queue: 'low',
      taskId: 'id',
      timeout: '90s',
      deadline: new Date('2026-01-02T03:04:05.999Z'),
      unique: '1h',
      processIn: '250ms',
      retention: '24h',
      group: 'g',
      headers: { k: '<v> & \u2028' },
    });
    expect(encodeOptions(all)).toEqual([
      'MaxRetry(3)',
      'Queue("low")',
      'TaskID("id")',
      'Timeout(1m30s)',
      'Deadline(Fri Jan  2 03:04:05 UTC 2026)',
      'Unique(1h0m0s)',
      'ProcessIn(250ms)',
      'Retention(24h0m0s)',
      'Group("g")',
      'Header(["k","\\u003cv\\u003e \\u0026 \\u2028"])',
    ]);
    expect(encodeOptions(options({ processAt: new Date('2026-07-08T09:05:00Z') }))).toEqual([
      'ProcessAt(Wed Jul  8 09:05:00 UTC 2026)',
    ]);
    expect(encodeOptions(noOptions)).toEqual([]);
  });

  it('C-75 reads back what it writes, whatever the options are', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).map((value) => `x${Buffer.from(value).toString()}`);
    const seconds = fc.integer({ min: 1, max: 10 ** 9 }).map((value) => value * 1_000);
    const anyOptions = fc.record(
      {
        queue: text,
        taskId: text,
        group: text,
        maxRetry: fc.nat(),
        timeout: fc.nat(),
        unique: seconds,
        retention: fc.nat(),
        processIn: fc.nat(),
        deadline: seconds.map((value) => new Date(value)),
        headers: fc.dictionary(text, text, { minKeys: 1 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anyOptions, (input) => {
        const given = options(input);
        expect(decodeOptions(encodeOptions(given))).toEqual(given);
      }),
    );
  });

  it('C-75 skips invalid and unknown options', () => {
    const texts = ['', 'Queue', 'Queue(low)', 'Queue("a" "b")', 'MaxRetry(x)', 'Timeout(soon)', 'Deadline(today)'];
    const more = ['Header(["k"])', 'Header({})', 'Header(x)', 'Color("red")', 'MaxRetry(3', 'Queue("\\xff")'];
    expect(decodeOptions([...texts, ...more])).toEqual(noOptions);
  });

  it('C-76 reads TaskID, Group and arguments with a parenthesis, which Go does not', () => {
    expect(decodeOptions(['TaskID("a)b")', 'Group("(g)")'])).toEqual({ ...noOptions, taskId: 'a)b', group: '(g)' });
  });

  it('uses the last option of a kind, and merges headers', () => {
    expect(decodeOptions(['Queue("a")', 'Header(["k","1"])', 'Queue("b")', 'Header(["l","2"])'])).toEqual({
      ...noOptions,
      queue: 'b',
      headers: { k: '1', l: '2' },
    });
  });

  it.each([
    ['Sat Oct 31 23:59:59 CET 2026', Date.UTC(2026, 9, 31, 23, 59, 59)],
    ['Thu Jan  1 00:00:00 UTC 1970', 0],
    ['Fri Feb 30 00:00:00 UTC 2026', undefined],
    ['Fri Jan  2 24:00:00 UTC 2026', undefined],
    ['Fri Foo  2 03:04:05 UTC 2026', undefined],
    ['2026-01-02T03:04:05Z', undefined],
  ])('reads the instant %s', (text, expected) => {
    expect(parseUnixDate(text)).toBe(expected);
  });
});
