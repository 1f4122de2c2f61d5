import { InvalidOptionError } from '../../lib/model/errors/option-errors.js';
import * as check from '../../lib/model/options/check.js';
import { suggest } from '../../lib/model/options/suggest.js';

const given = (value: unknown): check.Given => ({ path: check.pathOf('AsynqModule:', 'server.it'), value });

describe('checks', () => {
  it.each<[string, () => unknown, unknown]>([
    ['a positive integer', () => check.checkInteger(given(3), { min: 1 }), 3],
    ['an integer in a range', () => check.checkInteger(given(10), { min: 0, max: 10 }), 10],
    ['a boolean', () => check.checkBoolean(given(false)), false],
    ['a word', () => check.checkOneOf(given('keep'), ['keep', 'release']), 'keep'],
    ['text', () => check.checkText(given(' x ')), ' x '],
    ['a duration', () => check.checkDuration(given('1h')), 3_600_000],
    ['no time at all', () => check.checkDuration(given(0)), 0],
    ['an instant', () => check.checkInstant(given(new Date(5))), 5],
  ])('take %s', (_what, run, expected) => {
    expect(run()).toBe(expected);
  });

  it.each<[() => unknown, string]>([
    [() => check.checkInteger(given(-1), { min: 1 }), 'must be a positive integer, got -1'],
    [() => check.checkInteger(given('1'), { min: 1 }), 'must be a positive integer, got "1"'],
    [() => check.checkInteger(given(1.5), { min: 0 }), 'must be an integer of at least 0, got 1.5'],
    [() => check.checkInteger(given(2 ** 60), { min: 0 }), 'must be an integer of at least 0'],
    [() => check.checkInteger(given(11), { min: 0, max: 10 }), 'must be an integer from 0 to 10, got 11'],
    [() => check.checkBoolean(given('true')), 'must be true or false, got "true"'],
    [() => check.checkOneOf(given('drop'), ['keep', 'release']), "must be one of 'keep', 'release', got \"drop\""],
    [() => check.checkFunction(given({})), 'must be a function, got {}'],
    [() => check.checkText(given('')), 'must be text that is not blank, got ""'],
    [() => check.checkText(given('\ud800')), 'must be valid Unicode text'],
    [() => check.checkDuration(given('1 hour')), "must be a duration such as '30s'"],
    [() => check.checkDuration(given(-1)), 'not negative, got -1'],
    [() => check.checkDuration(given(0), 'above-zero'), 'longer than zero, got 0'],
    [() => check.checkInstant(given(0)), 'must be a valid Date, got 0'],
    [() => check.checkObject(given([])), 'must be an object, got []'],
    [() => check.checkObject(given(new Date(0))), 'must be an object, got 1970'],
    [() => check.checkObject(given(null)), 'must be an object, got null'],
  ])('refuse with path, rule and value: case %#', (run, message) => {
    expect(run).toThrow(InvalidOptionError);
    expect(run).toThrow(`AsynqModule: server.it ${message.startsWith('must') ? message : ''}`);
    expect(run).toThrow(message);
  });

  it('refuse an unknown name and suggest the right one', () => {
    const options = { path: 'AsynqModule: server', value: { shutdownTimout: '8s' } };
    expect(() => check.checkNames(options, ['concurrency', 'shutdownTimeout'])).toThrow(
      'AsynqModule: server.shutdownTimout is not an option; did you mean shutdownTimeout?',
    );
    expect(() => check.checkNames({ path: 'AsynqServer:', value: { foo: 1 } }, ['concurrency', 'queues'])).toThrow(
      'AsynqServer: foo is not an option; the options are concurrency, queues',
    );
    expect(() => check.checkNames(options, ['shutdownTimout'])).not.toThrow();
  });
});

describe('suggest', () => {
  const known = ['concurrency', 'queues', 'shutdownTimeout', 'timeout', 'taskId', 'redis'];

  it.each([
    ['shutdownTimout', 'shutdownTimeout'],
    ['concurency', 'concurrency'],
    ['queue', 'queues'],
    ['taskid', 'taskId'],
    ['TIMEOUT', 'timeout'],
    ['tiemout', 'timeout'],
    ['rediss', 'redis'],
    ['prefix', undefined],
    ['x', undefined],
    ['x'.repeat(100_000), undefined],
  ])('for %.20s is %p', (unknown, meant) => {
    expect(suggest(unknown, known)).toBe(meant);
  });
});
