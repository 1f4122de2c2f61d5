import { maxLookedAt, oldestLookedAt } from '../../lib/model/broker/work.contract.js';
import { chapter } from './chapter.js';
import { ids, leaseSeconds, owner } from './task-words.js';

export const dequeueingKnown = chapter('dequeueing some types', (it) => {
  const idsOf = (messages: readonly { readonly id: string }[]): string[] => messages.map(({ id }) => id);
  const mail = (id: string): { id: string; type: string } => ({ id, type: 'mail:send' });
  const image = (id: string): { id: string; type: string } => ({ id, type: 'image:resize' });

  it('takes tasks of the types asked for, oldest first, and leaves the others in their order', async (tasks) => {
    await tasks.enqueue(image('a'), mail('b'), image('c'), mail('d'), { id: 'e', type: 'mail:sent' }, mail('f'));
    const { messages, left, others } = await tasks.dequeueKnown(2, ['mail:send']);
    expect(idsOf(messages)).toEqual(['b', 'd']);
    expect(left).toBe('some');
    expect(others?.types).toEqual(['image:resize']);
    expect(await tasks.idsIn('pending')).toEqual(['a', 'c', 'e', 'f']);
    expect(await tasks.idsIn('active')).toEqual(['b', 'd']);
    expect(await tasks.task('b')).toMatchObject({ state: 'active', owner, pendingSince: undefined });
    expect(await tasks.probe.secondOf('lease', 'b')).toBe(leaseSeconds);
    expect(await tasks.task('a')).toMatchObject({ state: 'pending', owner: undefined });
  });

  it('takes every type that starts with a prefix, except those excluded', async (tasks) => {
    await tasks.enqueue(
      mail('a'),
      { id: 'b', type: 'mail:drop' },
      { id: 'c', type: 'mailer' },
      { id: 'd', type: 'mail:' },
    );
    const { messages, left, others } = await tasks.dequeueKnown(9, ['mail:'], { except: new Set(['mail:drop']) });
    expect(idsOf(messages)).toEqual(['a', 'd']);
    expect(left).toBe('others');
    expect(others?.types.toSorted()).toEqual(['mail:drop', 'mailer']);
    expect(idsOf((await tasks.dequeueKnown(9, ['mail:drop'], { except: new Set(['mail:drop']) })).messages)).toEqual(
      [],
    );
  });

  it('tells when nothing is left, when only other types are left, and when the queue is paused', async (tasks) => {
    expect(await tasks.dequeueKnown(5, ['mail:send'])).toMatchObject({ messages: [], left: 'drained' });
    await tasks.enqueue(mail('a'));
    const last = await tasks.dequeueKnown(5, ['mail:send']);
    expect([idsOf(last.messages), last.left, last.others]).toEqual([['a'], 'drained', undefined]);
    await tasks.enqueue(image('b'));
    expect(await tasks.dequeueKnown(5, ['mail:send'])).toMatchObject({ messages: [], left: 'others' });
    await tasks.probe.pause();
    expect((await tasks.dequeueKnown(5, ['image:'])).left).toBe('paused');
    expect(await tasks.placesOf('b')).toEqual(['pending']);
  });

  it('checks a bounded number of tasks, and continues where it ended', async (tasks) => {
    await tasks.enqueue(...ids(maxLookedAt + 500).map(image), mail('far'), image('last'));
    const first = await tasks.dequeueKnown(5, ['mail:send']);
    expect([idsOf(first.messages), first.left]).toEqual([[], 'some']);
    const second = await tasks.dequeueKnown(5, ['mail:send'], { lookedUpTo: first.others?.lookedUpTo });
    expect([idsOf(second.messages), second.left]).toEqual([['far'], 'others']);
    expect(await tasks.idsIn('pending')).toEqual([...ids(maxLookedAt + 500), 'last']);
    await tasks.enqueue(mail('new'));
    const third = await tasks.dequeueKnown(5, ['mail:send'], { lookedUpTo: second.others?.lookedUpTo });
    expect([idsOf(third.messages), third.left]).toEqual([['new'], 'others']);
  });

  it('continues where it ended while others take the oldest tasks', async (tasks) => {
    await tasks.enqueue(...ids(100).map(image), mail('a'));
    const first = await tasks.dequeueKnown(1, ['mail:send']);
    expect(idsOf(first.messages)).toEqual(['a']);
    await tasks.dequeue(60);
    await tasks.enqueue(mail('b'), image('c'));
    const second = await tasks.dequeueKnown(5, ['mail:send'], { lookedUpTo: first.others?.lookedUpTo });
    expect([idsOf(second.messages), second.left]).toEqual([['b'], 'others']);
  });

  it('starts again when the task at which it ended is gone', async (tasks) => {
    await tasks.enqueue(image('a'), image('b'));
    const { others } = await tasks.dequeueKnown(1, ['mail:send']);
    await tasks.dequeue(2);
    await tasks.enqueue(mail('c'), image('d'));
    expect(idsOf((await tasks.dequeueKnown(5, ['mail:send'], others)).messages)).toEqual(['c']);
  });

  it('checks the oldest tasks every time, since tasks are put back there', async (tasks) => {
    await tasks.enqueue(mail('a'), ...ids(oldestLookedAt * 3).map(image));
    const message = (await tasks.dequeueKnown(1, ['mail:send'])).messages;
    const { others } = await tasks.dequeueKnown(1, ['mail:send']);
    await tasks.settle(...message.map((one) => ({ kind: 'requeue' as const, message: one })));
    const { messages, left } = await tasks.dequeueKnown(5, ['mail:send'], others);
    expect([idsOf(messages), left]).toEqual([['a'], 'others']);
  });

  it('P-63 drops ids without a task', async (tasks) => {
    await tasks.enqueue(image('a'), mail('gone'), image('b'), mail('c'));
    await tasks.probe.loseTask('gone');
    expect(idsOf((await tasks.dequeueKnown(5, ['mail:send'])).messages)).toEqual(['c']);
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b']);
  });

  it('takes a record that does not decode, and archives it', async (tasks) => {
    await tasks.enqueue(image('a'), image('bad'));
    await tasks.probe.replaceRecord('bad', Buffer.from([0x0a, 0x7f, 0x01]));
    const { messages, undecodable } = await tasks.dequeueKnown(5, ['mail:send']);
    expect([messages, undecodable.map(({ taskId }) => taskId)]).toEqual([[], ['bad']]);
    expect(await tasks.placesOf('bad')).toEqual(['archived']);
  });
});
