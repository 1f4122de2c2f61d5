import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import type { TaskInfo } from '../../../lib/model/task/task-info.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { ClientUnderTest } from './client-under-test.js';
import { WatchedBroker } from './watched-broker.js';

describe('tasks that wait while Redis can be reached', () => {
  let subject: ClientUnderTest;
  let watched: WatchedBroker;
  let clock: VirtualClock;
  let client: AsynqClient;

  beforeEach(async () => {
    subject = ClientUnderTest.open();
    watched = new WatchedBroker(subject.broker);
    clock = new VirtualClock({ settle: async () => await subject.broker.ping() });
    client = new AsynqClient({
      broker: watched.broker,
      clock,
      enqueueTimeout: '10s',
      defaults: { queue: subject.queue },
    });
    await client.ping();
    watched.hold();
  });

  afterEach(async () => {
    watched.release();
    await client.close();
    await subject.close();
  });

  /** Enqueues one after the other, so that each wants a call of its own. */
  async function enqueue(...payloads: readonly Buffer[]): Promise<Promise<TaskInfo>[]> {
    const infos: Promise<TaskInfo>[] = [];
    for (const payload of payloads) {
      infos.push(client.enqueue('x', payload));
      await clock.settle();
    }
    return infos;
  }

  const light = Buffer.from('x');

  it('wait beyond their limit for a large one that is being sent', async () => {
    const infos = await enqueue(Buffer.alloc(2_000_000), light, light, light);
    expect(watched.calls).toHaveLength(2);
    await clock.advance('60s');
    watched.release();
    expect(await Promise.all(infos)).toHaveLength(4);
  });

  it('wait beyond their limit for earlier ones, as long as Redis replies now and then', async () => {
    const heavyBatches = Array.from({ length: 12 }, () => Buffer.alloc(1_000_000));
    const infos = await enqueue(...heavyBatches);
    for (let step = 0; step < 6; step += 1) {
      await clock.advance('4s');
      watched.release();
      watched.hold();
      await clock.settle();
    }
    expect(await Promise.all(infos)).toHaveLength(12);
  });

  it('do not wait beyond their limit for calls without a reply', async () => {
    const infos = await enqueue(light, light, light);
    const refused = expect(infos[2]).rejects.toThrow('task "x" was not enqueued');
    await clock.advance('10s');
    await refused;
    watched.release();
    expect(await Promise.all(infos.slice(0, 2))).toHaveLength(2);
  });
});
