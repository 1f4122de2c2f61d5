import { ProcessSignals } from '../../lib/nest/process-signals.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('Ctrl-C while servers drain', () => {
  it('ends the process at once when pressed again, not when one key press arrives twice', async () => {
    const exit = jest.spyOn(process, 'exit').mockReturnValue(undefined as never);
    const clock = new VirtualClock();
    const logger = new RecordingLogger();
    const others = process.listenerCount('SIGINT');
    const signals = new ProcessSignals({ clock, logger, stopFetching: async () => {} });
    // Only the new listener: others may end the test.
    const interrupt = (): void => process.listeners('SIGINT').at(-1)?.('SIGINT');
    signals.draining();
    await clock.advance('499ms');
    interrupt();
    expect(exit).not.toHaveBeenCalled();
    await clock.advance('1ms');
    interrupt();
    expect(exit).toHaveBeenCalledWith(130);
    expect(logger.messages('warn')).toEqual([
      'Interrupted again: the process ends at once; unfinished tasks run again once their leases expire',
    ]);
    signals.ended();
    expect(process.listenerCount('SIGINT')).toBe(others);
    exit.mockRestore();
  });
});
