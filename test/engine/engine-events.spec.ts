import { EngineEventEmitter, type EngineEvents } from '../../lib/engine/engine-events.js';
import { ms } from '../../lib/model/time/duration.js';
import { eventLoopTurns } from '../support/virtual-clock.js';

const up: EngineEvents['brokerUp'] = { downFor: ms(5) };

describe('EngineEventEmitter', () => {
  const anEmitter = (): { readonly events: EngineEventEmitter; readonly faults: unknown[][] } => {
    const faults: unknown[][] = [];
    return { events: new EngineEventEmitter((event, error) => faults.push([event, error])), faults };
  };

  it('calls every listener of a name, in order, until it is removed', () => {
    const { events } = anEmitter();
    const heard: string[] = [];
    const stop = events.on('brokerUp', ({ downFor }) => heard.push(`a${downFor}`));
    events.on('brokerUp', () => heard.push('b'));
    events.on('brokerDown', () => heard.push('c'));
    events.emit('brokerUp', up);
    stop();
    stop();
    events.emit('brokerUp', up);
    expect(heard).toEqual(['a5', 'b', 'b']);
  });

  it('removes one of two registrations of the same function', () => {
    const { events } = anEmitter();
    let calls = 0;
    const listener = (): void => void (calls += 1);
    const stop = events.on('brokerUp', listener);
    events.on('brokerUp', listener);
    stop();
    events.emit('brokerUp', up);
    expect(calls).toBe(1);
  });

  it('calls a listener of once a single time, even if it emits the event itself', () => {
    const { events } = anEmitter();
    const heard: number[] = [];
    events.once('brokerUp', ({ downFor }) => {
      heard.push(downFor);
      events.emit('brokerUp', up);
    });
    const stop = events.once('brokerUp', () => heard.push(0));
    stop();
    events.emit('brokerUp', up);
    expect(heard).toEqual([5]);
    expect(events.has('brokerUp')).toBe(false);
  });

  it('does not call a listener for the event during which it was added', () => {
    const { events } = anEmitter();
    let calls = 0;
    events.once('brokerUp', () => void events.on('brokerUp', () => (calls += 1)));
    events.emit('brokerUp', up);
    expect(calls).toBe(0);
    events.emit('brokerUp', up);
    expect(calls).toBe(1);
  });

  it('reports what listeners throw and reject with, and calls the others', async () => {
    const { events, faults } = anEmitter();
    let calls = 0;
    events.on('brokerUp', () => {
      throw new Error('now');
    });
    events.on('brokerUp', async () => {
      await eventLoopTurns(1);
      throw new Error('later');
    });
    // oxlint-disable-next-line unicorn/no-thenable -- a promise of another library
    events.on('brokerUp', () => ({
      // oxlint-disable-next-line unicorn/no-thenable -- what another library's promise looks like
      then: (_: unknown, reject: (error: Error) => void) => reject(new Error('theirs')),
    }));
    events.on('brokerUp', async () => await new Promise(() => {}));
    events.on('brokerUp', () => void (calls += 1));
    events.emit('brokerUp', up);
    await eventLoopTurns(3);
    expect(calls).toBe(1);
    expect(faults).toEqual([
      ['brokerUp', new Error('now')],
      ['brokerUp', new Error('theirs')],
      ['brokerUp', new Error('later')],
    ]);
  });

  it('refuses names that do not exist, and listeners that are not functions', () => {
    const { events } = anEmitter();
    expect(() => events.on('complete' as 'completed', () => {})).toThrow(
      /^events.on: event must be one of 'started', /,
    );
    expect(() => events.once('completed', undefined as never)).toThrow('events.once: listener must be a function');
  });
});
