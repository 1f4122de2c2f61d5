import {
  AsynqClient,
  AsynqScheduler,
  AsynqServer,
  type EnqueueOptions,
  MemoryBroker,
  type ServerOptions,
} from '../../lib/core.js';
import { AsynqModule } from '../../lib/index.js';

// What is asserted here is asserted by the type checker, which runs with exactOptionalPropertyTypes.
describe('options that are undefined', () => {
  const url = process.env['NOT_SET'];

  it('are refused where they would select another Redis', () => {
    const notCalled = (broker: MemoryBroker | undefined): unknown[] => [
      // @ts-expect-error it may be undefined
      new AsynqClient({ redis: url }),
      // @ts-expect-error it may be undefined
      new AsynqServer({ redis: url }),
      // @ts-expect-error it may be undefined
      new AsynqScheduler({ redis: url }),
      // @ts-expect-error it may be undefined
      AsynqModule.forRoot({ redis: url }),
      // @ts-expect-error it may be undefined
      new AsynqClient({ broker }),
      new AsynqClient({ redis: url ?? 'redis://localhost:6379' }),
      new AsynqClient(url === undefined ? {} : { redis: url }),
    ];
    expect(notCalled).toBeDefined();
  });

  it('count as omitted everywhere else', () => {
    const server: ServerOptions = { concurrency: undefined, shutdownTimeout: undefined, failureLogs: undefined };
    const task: EnqueueOptions = { queue: undefined, processIn: undefined, taskId: undefined, headers: undefined };
    const { options } = new AsynqServer({ ...server, codec: undefined, logger: undefined, aggregator: undefined });
    expect(options).toMatchObject({ shutdownTimeout: 8_000, failureLogs: { first: 'warn' } });
    expect(() => new AsynqClient({ defaults: task, enqueueTimeout: undefined })).not.toThrow();
    expect(() => AsynqModule.forRoot({ server: undefined, role: undefined, connectTimeout: undefined })).not.toThrow();
  });
});
