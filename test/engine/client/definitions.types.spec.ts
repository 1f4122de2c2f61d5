import { z } from 'zod';
import {
  type AsynqClient,
  type AsynqScheduler,
  defineTask,
  type EnqueueItem,
  type PayloadOf,
  type Task,
  type TaskDefinition,
  TaskMux,
} from '../../../lib/core.js';
import { holds, type Same } from '../../support/types.js';

// What is asserted here is asserted by the type checker.
describe('the type of a definition', () => {
  const Mail = defineTask<{ userId: number; at: Date }>('mail');

  it('is the value passed for producers and its JSON form for handlers', () => {
    const calls = (client: AsynqClient, scheduler: AsynqScheduler): unknown => [
      client.enqueue(Mail, { userId: 1, at: new Date(0) }),
      client.enqueue(Mail, { userId: 1, at: new Date(0) }, { processIn: '1h' }),
      client.enqueue(Mail, { userId: 1, at: new Date(0) }, undefined),
      scheduler.register('@daily', Mail, { userId: 1, at: new Date(0) }, { overlap: 'skip' }),
      scheduler.register('@daily', 'untyped', { anything: true }),
      // @ts-expect-error the payload is of another type
      client.enqueue(Mail, { userId: '1', at: new Date(0) }),
      // @ts-expect-error what arrives is not what is given
      client.enqueue(Mail, { userId: 1, at: '1970-01-01T00:00:00Z' }),
      // @ts-expect-error no such field
      client.enqueue(Mail, { userId: 1, at: new Date(0), cc: 'x' }),
      // @ts-expect-error the payload is of another type
      scheduler.register('@daily', Mail, { userId: '1' }),
      // @ts-expect-error no such option
      client.enqueue('untyped', 1, { retries: 3 }),
    ];
    holds<Same<PayloadOf<typeof Mail>, { userId: number; at: string }>>();
    const mux = new TaskMux().handle(Mail, ({ payload }) => payload.at.slice(0, payload.userId));
    // @ts-expect-error a Date is text by then
    mux.handle(defineTask<{ at: Date }>('late'), ({ payload }) => payload.at.getTime());
    expect(calls).toBeDefined();
  });

  it('requires a payload, unless it may be undefined', () => {
    const calls = (client: AsynqClient, scheduler: AsynqScheduler): unknown => [
      client.enqueue('untyped'),
      client.enqueue(defineTask('anything')),
      client.enqueue(defineTask<void>('nothing')),
      client.enqueue(defineTask<undefined>('nothing'), undefined, { queue: 'low' }),
      client.enqueue(defineTask<{ n: number } | undefined>('maybe')),
      client.enqueue(defineTask('maybe', { schema: z.object({ n: z.number() }).optional() })),
      scheduler.register('@daily', defineTask<void>('nothing')),
      // @ts-expect-error Expected 2-3 arguments, but got 1.
      client.enqueue(Mail),
      // @ts-expect-error Expected 3-4 arguments, but got 2.
      scheduler.register('@daily', Mail),
      // @ts-expect-error the payload is missing
      client.enqueueMany([['untyped'], [Mail]]),
      // @ts-expect-error there is nothing to give
      client.enqueue(defineTask<void>('nothing'), { n: 1 }),
    ];
    holds<Same<PayloadOf<TaskDefinition<void>>, undefined>>();
    expect(calls).toBeDefined();
  });

  it('is checked for each of many tasks', () => {
    const Bare = defineTask<void>('bare');
    const Id = defineTask<{ id: number }>('id');
    const calls = (client: AsynqClient, items: readonly EnqueueItem[]): unknown => [
      client.enqueueMany([[Id, { id: 1 }, { processIn: '1h' }], ['untyped', { anything: true }], [Bare]]),
      client.enqueueMany([1, 2].map((id) => [Id, { id }])),
      client.enqueueMany(items),
      // @ts-expect-error the payloads are of another type
      client.enqueueMany(['1', '2'].map((id) => [Id, { id }])),
      // @ts-expect-error the payload of the second is of another type
      client.enqueueMany([['untyped'], [Id, { id: '1' }]]),
      // @ts-expect-error no such option
      client.enqueueMany([[Id, { id: 1 }, { retries: 1 }]]),
    ];
    expect(calls).toBeDefined();
  });

  it('for handlers is the second type argument when there is a codec', () => {
    const Remind = defineTask<{ at: Date }, { at: Date }>('remind');
    new TaskMux().handle(Remind, ({ payload }) => payload.at.getTime());
    holds<Same<PayloadOf<typeof Remind>, { at: Date }>>();
    // What bytes say is the codec's to tell.
    const Bytes = defineTask<Buffer>('bytes');
    holds<Same<PayloadOf<typeof Bytes>, unknown>>();
  });

  it('is the schema’s input for producers and its output for handlers', () => {
    const schema = z.object({ n: z.number().default(1), at: z.coerce.date(), size: z.string().transform(Number) });
    const Count = defineTask('count', { schema, maxRetry: 3 });
    const calls = (client: AsynqClient): unknown => [
      client.enqueue(Count, { at: new Date(0), size: '5' }),
      client.enqueue(Count, { at: '1970-01-01', size: '5', n: 2 }),
      client.enqueue(defineTask('count', { schema: z.object({ n: z.number().default(1) }) }), {}),
      // @ts-expect-error the input of `size` is text
      client.enqueue(Count, { at: new Date(0), size: 5 }),
    ];
    holds<Same<PayloadOf<typeof Count>, { n: number; at: Date; size: number }>>();
    new TaskMux().handle(Count, ({ payload }) => payload.at.getTime() + payload.n + payload.size);
    // @ts-expect-error the output of `size` is a number
    new TaskMux().handle(Count, ({ payload }) => payload.size.length);
    // @ts-expect-error the schema says what the payload is
    defineTask<{ n: number }>('count', { schema });
    expect(calls).toBeDefined();
  });

  it('is assignable where any definition is accepted, or where the payload type is generic', () => {
    const any = (definition: TaskDefinition): string => definition.type;
    expect([Mail, defineTask<void>('x'), defineTask('y', { schema: z.date() })].map(any)).toEqual(['mail', 'x', 'y']);
    const send = async <P>(client: AsynqClient, definition: TaskDefinition<P, unknown>, payload: P): Promise<void> =>
      void (await client.enqueue(definition, payload));
    const run = <P>(
      definition: TaskDefinition<P>,
      handler: (task: Task<PayloadOf<TaskDefinition<P>>>) => void,
    ): TaskMux => new TaskMux().handle(definition, handler);
    expect(run(Mail, ({ payload }) => payload.at.slice(0, 4)).patterns).toHaveLength(1);
    expect(send).toBeDefined();
  });
});
