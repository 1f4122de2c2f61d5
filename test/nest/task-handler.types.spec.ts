import { ParseIntPipe, ValidationPipe } from '@nestjs/common';
import {
  Cron,
  CurrentTask,
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

  it('let a handler accept the payload of the definition, or a part of it', () => {
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

  it('refuse a handler for another payload', () => {
    class Mails {
      // @ts-expect-error the definition has `to`
      @TaskHandler(Mail)
      wrong(_task: Task<{ from: string }>) {}
    }
    expect(Mails).toBeDefined();
  });

  it('refuse a payload parameter of another type than the definition that it names', () => {
    const Order = defineTask<{ id: number; at: Date; note?: string }>('order');
    class Mails {
      to!: string;
    }
    class OrderDto {
      id!: number;
      at!: Date;
      describe(): string {
        return `${this.id}`;
      }
    }
    class Orders {
      @TaskHandler(Order)
      exact(@TaskPayload(Order) _order: { id: number; at: string }, @CurrentTask() _task: Task) {}

      @TaskHandler(Order)
      transformed(@TaskPayload(Order) _order: OrderDto) {}

      @TaskHandler(Order)
      wider(@TaskPayload(Order) _order: unknown, @TaskPayload(Order, 'id') _id: number | string) {}

      @TaskHandler(Order)
      fields(@TaskPayload(Order, 'id') _id: number, @TaskPayload(Order, 'note') _note: string | undefined) {}

      @TaskHandler(Order)
      piped(@TaskPayload(Order, 'id', ParseIntPipe) _id: bigint, @TaskPayload(Order, ValidationPipe) _order: Mails) {}

      @TaskHandler(defineTask('untyped'))
      untyped(@TaskPayload(defineTask('untyped')) _anything: OrderDto) {}

      // @ts-expect-error the definition has no `to`
      @TaskHandler(Order) wrong(@TaskPayload(Order) _order: { to: string }) {}

      // @ts-expect-error its `id` is a number
      @TaskHandler(Order) wrongField(@TaskPayload(Order, 'id') _id: string) {}

      // @ts-expect-error its `note` may be missing
      @TaskHandler(Order) second(@CurrentTask() _task: Task, @TaskPayload(Order, 'note') _note: string) {}

      // @ts-expect-error it has no such field
      @TaskHandler(Order) absent(@TaskPayload(Order, 'to') _to: string) {}
    }
    expect(Orders).toBeDefined();
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

  it('refuse a method for another event', () => {
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
