import { ThrottledLogger } from '../../../lib/engine/lifecycle/throttled-logger.js';
import type { Logger } from '../../../lib/engine/logger.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('ThrottledLogger', () => {
  const aLogger = (): { clock: VirtualClock; recorded: RecordingLogger; logger: ThrottledLogger } => {
    const clock = new VirtualClock();
    const recorded = new RecordingLogger();
    return { clock, recorded, logger: new ThrottledLogger({ logger: recorded, clock }) };
  };

  it('writes lines without a kind as they come', () => {
    const { recorded, logger } = aLogger();
    for (let line = 0; line < 3; line += 1) logger.info('same');
    expect(recorded.messages('info')).toEqual(['same', 'same', 'same']);
  });

  it('writes two lines and a count for ten thousand of one kind, whatever ids they name', async () => {
    const { clock, recorded, logger } = aLogger();
    for (let task = 0; task < 10_001; task += 1) logger.warn(`task ${task} is late`, { kind: 'late' });
    expect(recorded.messages()).toEqual(['task 0 is late']);
    await clock.advance('30s');
    expect(recorded.messages('warn')).toEqual([
      'task 0 is late',
      'task 10000 is late (and 9,999 more in the last 30 s)',
    ]);
  });

  it('writes a continuing kind once in 30 s, and at once after a pause', async () => {
    const { clock, recorded, logger } = aLogger();
    for (let second = 0; second < 90; second += 1) {
      logger.error(`fault ${second}`, { kind: 'fault' });
      await clock.advance('1s');
    }
    await clock.advance('60s');
    logger.error('fault again', { kind: 'fault' });
    expect(recorded.messages()).toEqual([
      'fault 0',
      'fault 29 (and 28 more in the last 30 s)',
      'fault 59 (and 29 more in the last 30 s)',
      'fault 89 (and 29 more in the last 30 s)',
      'fault again',
    ]);
  });

  it('counts the events of a line', async () => {
    const { clock, recorded, logger } = aLogger();
    for (const count of [2, 30, 400]) logger.warn(`${count} lost`, { kind: 'lost', count });
    await clock.advance('31s');
    expect(recorded.messages()).toEqual(['2 lost', '400 lost (and 30 more in the last 30 s)']);
  });

  it('keeps kinds apart, and writes a single repetition without a count', async () => {
    const { clock, recorded, logger } = aLogger();
    logger.warn('a1', { kind: 'a' });
    logger.warn('b1', { kind: 'b' });
    logger.warn('a2', { kind: 'a' });
    await clock.advance('31s');
    expect(recorded.messages()).toEqual(['a1', 'b1', 'a2']);
  });

  it('writes what was counted when it stops, and leaves no timer', () => {
    const { clock, recorded, logger } = aLogger();
    for (let line = 0; line < 3; line += 1) logger.warn('late', { kind: 'late' });
    logger.stop();
    logger.warn('late', { kind: 'late' });
    logger.warn('late', { kind: 'late' });
    expect(recorded.messages()).toEqual(['late', 'late (and 1 more in the last 1 s)', 'late']);
    expect(clock.armedTimers).toBe(0);
  });

  it('remembers a bounded number of kinds and loses no count of those it forgets', () => {
    const { recorded, logger } = aLogger();
    logger.warn('first', { kind: 'first' });
    logger.warn('first again', { kind: 'first' });
    for (let kind = 0; kind < 1_000; kind += 1) logger.warn('other', { kind: `other ${kind}` });
    expect(recorded.messages().filter((line) => line !== 'other')).toEqual(['first', 'first again']);
    logger.stop();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', async () => await Promise.reject(new Error('disk full'))],
  ] as const)('survives a logger that %s, and says so once as a process warning', async (_how, line) => {
    const heard = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const broken: Logger = { debug: line, info: line, warn: line, error: line };
    const { clock } = aLogger();
    const logger = new ThrottledLogger({ logger: broken, clock });
    logger.info('one');
    logger.error('two', { kind: 'two' });
    await clock.settle();
    const warnings = heard.mock.calls.map(([warning]) => warning);
    heard.mockRestore();
    expect(warnings).toEqual(['The logger failed, log lines are lost: disk full']);
  });
});
