import { checkQueueName } from '../../lib/model/queue/queue-name.js';

describe('queue names', () => {
  it.each(['default', 'Default', ' spaced ', 'a{b}c', '{x', 'a}b', 'new\nline', '😀', 'x'.repeat(10_000)])(
    'C-18 C-20 may be %j',
    (name) => {
      expect(checkQueueName({ path: 'test: queue', value: name })).toBe(name);
    },
  );

  it.each(['', '   ', '\t\n', '\u0085', '}x', 'a\udc00'])('C-19 may not be %j', (name) => {
    expect(() => checkQueueName({ path: 'test: queue', value: name })).toThrow('test: queue must be');
  });
});
