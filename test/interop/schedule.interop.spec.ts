import { decodePublishedSchedule, decodeScheduleEvent } from '../../lib/model/cron/published-schedule.codec.js';
import { AsynqScheduler } from '../../lib/engine/scheduler/asynq-scheduler.js';
import { decodeOptions } from '../../lib/model/task/option-text.codec.js';
import { sharedRedisUrl } from '../support/redis-server.js';
import { acrossLanguages } from './support/across.js';
import { found } from './support/found.js';
import { GoProgram } from './support/go-program.js';
import { encodeGoTask, type GoTaskInfo } from './support/go-task.js';

interface ScheduleLine {
  readonly event: 'ready' | 'enqueued' | 'closed';
  readonly entries?: readonly string[];
  readonly info?: GoTaskInfo;
}

describe('a Go scheduler', () => {
  const across = acrossLanguages();

  it('P-108 P-109 P-15 P-16 P-17 publishes schedules and events that we read, and tasks that we handle', async () => {
    const queue = across.aQueue('scheduled');
    const task = { type: 'ok', payload: 'tick', options: { queue, maxRetry: 2, timeout: 90_000 } };
    const scheduler = await GoProgram.start<ScheduleLine>('schedule', {
      config: {
        entries: [
          { spec: '@every 1s', task: encodeGoTask(task) },
          { spec: 'CRON_TZ=Asia/Ho_Chi_Minh 0 2 1 1 *', task: encodeGoTask({ type: 'rare' }) },
        ],
      },
    });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    const fired = await scheduler.waitFor('that it has enqueued', ({ event }) => event === 'enqueued');
    const [every = '', rare = ''] = scheduler.lines[0]?.entries ?? [];

    expect(await worker.hasEnded(fired.info?.id ?? '')).toMatchObject({ type: 'ok', queue, maxRetry: 2 });

    const entries = await found('both entries are published after a firing', async () => {
      const keys = await across.redis.zrange('asynq:schedulers', 0, '-1');
      const records = await Promise.all(keys.map(async (key) => await across.redis.lrangeBuffer(key, 0, -1)));
      const decoded = records.flat().flatMap((record) => {
        const entry = decodePublishedSchedule(record);
        return entry.ok ? [entry.value] : [];
      });
      const ours = [every, rare].map((id) => decoded.find((entry) => entry.id === id));
      return ours[0]?.previousEnqueueAt !== undefined && ours[1] !== undefined ? ours : undefined;
    });
    expect(entries[0]).toMatchObject({ spec: '@every 1s', taskType: 'ok' });
    expect(Buffer.from(entries[0]?.taskPayload ?? []).toString()).toBe('tick');
    expect(decodeOptions(entries[0]?.options ?? [])).toMatchObject({ queue, maxRetry: 2, timeout: 90_000 });
    expect(entries[1]).toMatchObject({ spec: 'CRON_TZ=Asia/Ho_Chi_Minh 0 2 1 1 *', previousEnqueueAt: undefined });
    // Two in the morning there is seven in the evening before in UTC.
    expect(new Date(entries[1]?.nextEnqueueAt ?? 0).toISOString()).toMatch(/-12-31T19:00:00.000Z$/);

    const [record] = await across.redis.zrangeBuffer(`asynq:scheduler_history:${every}`, 0, '0');
    const event = decodeScheduleEvent(record ?? Buffer.alloc(0));
    expect(event.ok && event.value.taskId).toBe(fired.info?.id);

    scheduler.send('shutdown');
    await scheduler.exited();
  });
});

interface GoEntry {
  readonly id: string;
  readonly spec: string;
  readonly type: string;
  readonly payload: string;
  readonly options: readonly string[];
  readonly next: number;
  readonly prev: number;
}

interface GoEnqueueEvent {
  readonly TaskID: string;
  readonly EnqueuedAt: string;
}

describe("Go's inspector and a scheduler of ours", () => {
  const across = acrossLanguages();

  it('P-108 P-109 lists its schedules and what they have enqueued, and Go handles the tasks', async () => {
    const queue = across.aQueue('scheduled');
    const scheduler = new AsynqScheduler({ redis: sharedRedisUrl(), heartbeatInterval: '500ms' });
    const every = scheduler.register('@every 1s', 'ok', { n: 1 }, { queue, maxRetry: 2, timeout: '90s' });
    const rare = scheduler.register('CRON_TZ=Asia/Ho_Chi_Minh 0 2 1 1 *', 'rare', undefined, { queue });
    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await scheduler.start();

    const [fired, resting] = await found('Go lists both entries after a firing', async () => {
      const entries = (await across.inspector.ask({ op: 'scheduler-entries' })) as readonly GoEntry[];
      const ours = [every, rare].map((id) => entries.find((entry) => entry.id === id));
      return (ours[0]?.prev ?? 0) > 0 && ours[1] !== undefined ? (ours as GoEntry[]) : undefined;
    });
    expect(fired).toMatchObject({ spec: '@every 1s', type: 'ok', payload: Buffer.from('{"n":1}').toString('base64') });
    expect(fired?.options).toEqual(['MaxRetry(2)', `Queue("${queue}")`, 'Timeout(1m30s)']);
    expect((fired?.next ?? 0) - (fired?.prev ?? 0)).toBe(1_000);
    expect(resting).toMatchObject({ spec: 'CRON_TZ=Asia/Ho_Chi_Minh 0 2 1 1 *', prev: 0 });

    const [event] = (await across.inspector.ask({ op: 'scheduler-events', id: every })) as readonly GoEnqueueEvent[];
    expect(Math.abs(Date.parse(event?.EnqueuedAt ?? '') - Date.now())).toBeLessThan(60_000);
    await worker.hasEnded(event?.TaskID ?? '');

    await scheduler.shutdown();
    const left = (await across.inspector.ask({ op: 'scheduler-entries' })) as readonly GoEntry[];
    expect(left.filter(({ id }) => id === every || id === rare)).toEqual([]);
    await across.redis.del(`asynq:scheduler_history:${every}`);
  });
});
