import {
  Cron,
  defineTask,
  OnTaskEvent,
  ProvidesPeriodicTasks,
  type Task,
  type TaskEvents,
  TaskHandler,
  TaskPayload,
} from '../../lib/index.js';

// What is asserted here is asserted by the type checker.
describe('types of the decorators', () => {
  const Mail = defineTask<{ to: string }>('mail');

  it('let a handler take what the definition promises, or less', () => {
    class Mails {
      @TaskHandler(Mail)
      exact(_task: Task<{ to: string }>) {}

      @TaskHandler(Mail)
      wider(_task: Task<{ to?: string | number }>) {}

      @TaskHandler(Mail)
      unknown(_task: Task) {}

      @TaskHandler(Mail)
      none() {}

      @TaskHandler(Mail)
      parameters(@TaskPayload() _mail: { to: string }, @TaskPayload('to') _to: string) {}

      @TaskHandler('by:name')
      byName(_task: Task<{ anything: Date }>) {}
    }
    expect(Mails).toBeDefined();
  });

  it('refuse a handler that wants another payload', () => {
    class Mails {
      // @ts-expect-error the definition has `to`
      @TaskHandler(Mail)
      wrong(_task: Task<{ from: string }>) {}
    }
    expect(Mails).toBeDefined();
  });

  it('refuse options that @Cron does not have, and a provider that lists no periodic tasks', () => {
    class Schedules {
      @Cron('0 2 * * *', { type: Mail, payload: { to: 'ada' }, overlap: 'skip' })
      nightly(_task: Task<{ to: string }>) {}

      // @ts-expect-error the payload is of another type
      @Cron('0 2 * * *', { type: Mail, payload: { to: 5 } })
      misled() {}

      // @ts-expect-error the definition has `to`
      @Cron('0 2 * * *', { type: Mail, payload: { to: 'ada' } })
      wrong(_task: Task<{ from: string }>) {}

      // @ts-expect-error every tick would need an id of its own
      @Cron('0 2 * * *', { taskId: 'one' })
      named() {}

      @ProvidesPeriodicTasks({ syncInterval: '1m' })
      async listed() {
        return [{ spec: '@daily', task: Mail, payload: { to: 'ada' } }];
      }

      // @ts-expect-error a periodic task has a spec
      @ProvidesPeriodicTasks()
      unlisted() {
        return [{ task: 'mail' }];
      }
    }
    expect(Schedules).toBeDefined();
  });

  it('refuse an event method that wants another event', () => {
    class Alarms {
      @OnTaskEvent('archived')
      right(_event: TaskEvents['archived']) {}

      @OnTaskEvent('archived')
      less(_event: { readonly error: unknown }) {}

      // @ts-expect-error a completed task has no error
      @OnTaskEvent('completed')
      wrong(_event: TaskEvents['archived']) {}
    }
    expect(Alarms).toBeDefined();
  });
});
