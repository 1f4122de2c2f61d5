import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { AsynqServerOptions } from '../../../lib/engine/server/server-options.js';
import type { ClientOptions } from '../../../lib/engine/client/client-options.js';
import { MemoryBroker } from '../../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../../lib/memory/memory-state.js';
import type { Broker } from '../../../lib/model/broker/broker.js';
import { BrokerUnavailableError } from '../../../lib/model/errors/broker-errors.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('a queue that is enqueued to', () => {
  let clock: VirtualClock;
  let store: MemoryStore;
  let broker: Broker;
  let logger: RecordingLogger;
  const servers: AsynqServer[] = [];
  const clients: AsynqClient[] = [];

  beforeEach(() => {
    clock = new VirtualClock();
    store = new MemoryStore();
    broker = new MemoryBroker({ store, clock });
    logger = new RecordingLogger();
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.shutdown()));
    await Promise.all(clients.splice(0).map((client) => client.close()));
    expect(clock.armedTimers).toBe(0);
  });

  const aClient = (options: ClientOptions = {}): AsynqClient => {
    const client = new AsynqClient({ broker, clock, logger, ...options });
    clients.push(client);
    return client;
  };
  const aServer = async (queue: string, options: AsynqServerOptions = {}): Promise<AsynqServer> => {
    const server = new AsynqServer({ broker, clock, queues: { [queue]: 1 }, ...options });
    servers.push(server);
    await server.start(() => {});
    return server;
  };
  const publishGoServer = async (queue: string): Promise<void> =>
    await broker.presence.publishServer({
      server: {
        host: 'go',
        pid: 1,
        serverId: 'x',
        concurrency: 10,
        queues: { [queue]: 1 },
        strictPriority: false,
        status: 'active',
        startedAt: clock.now(),
        activeWorkerCount: 0,
      },
      workers: [],
      ttl: 60_000 as never,
      now: clock.now(),
    });

  it('that no server reads causes one warning after the grace time, which lists the queues that servers read', async () => {
    await aServer('emails');
    const client = aClient();
    await client.enqueue('a', undefined, { queue: 'emials' });
    await client.enqueueMany([['a', undefined, { queue: 'emails' }]]);
    await clock.advance('29s');
    expect(logger.messages()).toEqual([]);
    await clock.advance('1s');
    const warning = 'No server reads queue "emials", so its tasks wait until one does: servers read "emails"';
    expect(logger.messages('warn')).toEqual([warning]);
    await client.enqueue('a', undefined, { queue: 'emials' });
    await clock.advance('1h');
    expect(logger.messages()).toEqual([warning]);
  });

  it('causes a warning with enqueueMany, too', async () => {
    await aClient().enqueueMany([['a', undefined, { queue: 'nowhere' }]]);
    await clock.advance('30s');
    expect(logger.messages('warn')).toEqual([
      'No server reads queue "nowhere", so its tasks wait until one does: no server is alive',
    ]);
  });

  it('causes no warning when a server starts within the grace time', async () => {
    await aClient().enqueue('a', undefined, { queue: 'late' });
    await clock.advance('20s');
    await aServer('late');
    await clock.advance('1h');
    expect(logger.messages()).toEqual([]);
  });

  it('is checked after its own grace time, whatever was used before', async () => {
    const client = aClient();
    await client.enqueue('a', undefined, { queue: 'first' });
    await clock.advance('20s');
    await client.enqueue('a', undefined, { queue: 'second' });
    await clock.advance('10s');
    expect(logger.messages('warn')).toHaveLength(1);
    await clock.advance('10s');
    await aServer('second');
    await clock.advance('1h');
    expect(logger.messages('warn')).toHaveLength(1);
  });

  it('is checked later when Redis is unreachable', async () => {
    const { presence } = broker;
    let answers = 0;
    const faulty: Broker['presence'] = {
      ...presence,
      listServers: async () => {
        answers += 1;
        if (answers === 1) throw new BrokerUnavailableError('The connection was lost');
        return await presence.listServers();
      },
    };
    const away: Broker = {
      ...broker,
      presence: faulty,
      open: async () => {},
      isAvailable: () => true,
      onAvailability: () => () => {},
    };
    await aClient({ broker: away }).enqueue('a');
    await clock.advance('30s');
    expect(logger.messages('warn')).toEqual([]);
    await clock.advance('30s');
    expect(logger.messages('warn')).toHaveLength(1);
  });

  it('is not checked when that is turned off or no one would see the warning', async () => {
    await aClient({ unservedQueueWarning: false }).enqueue('a');
    const silent = new AsynqClient({ broker, clock });
    clients.push(silent);
    await silent.enqueue('a');
    expect(clock.armedTimers).toBe(0);
  });

  it.each(['never', 0, true, null])('refuses %p as the time until the check, naming what turns it off', (value) => {
    const options = { broker, clock, unservedQueueWarning: value as '1s' };
    expect(() => new AsynqClient(options)).toThrow(/unservedQueueWarning must be .*, longer than zero, or false, got/);
  });

  it('is not checked on a clock whose owner does the background work, as in a test kit', async () => {
    const kitClock = new VirtualClock({ backgroundTimers: { add: () => ({ cancel() {} }) } });
    await aClient({ clock: kitClock }).enqueue('a');
    expect(kitClock.armedTimers).toBe(0);
  });

  it('is checked after the requested time', async () => {
    await aClient({ unservedQueueWarning: '5s' }).enqueue('a');
    await clock.advance('5s');
    expect(logger.messages('warn')).toHaveLength(1);
  });

  it('causes no warning once the client is closed', async () => {
    const client = aClient();
    await client.enqueue('a');
    await client.close();
    await clock.advance('1h');
    expect(logger.messages()).toEqual([]);
  });

  describe('with groups', () => {
    const aggregate = () => ['all'] as const;
    const enqueueGroup = async (group: string, client = aClient()) =>
      await client.enqueue('a', undefined, { queue: 'mails', group });

    it('that no server aggregates cause one warning', async () => {
      await aServer('mails');
      await aServer('mails', { aggregator: aggregate, queues: { other: 1 } });
      const client = aClient();
      await enqueueGroup('digest:1', client);
      await enqueueGroup('digest:2', client);
      await clock.advance('30s');
      await enqueueGroup('digest:3', client);
      await clock.advance('1h');
      expect(logger.messages()).toEqual([
        'No server aggregates group "digest:1", "digest:2" of queue "mails", so its tasks wait until one does',
      ]);
    });

    it('that are used later are checked later', async () => {
      await aServer('mails');
      const client = aClient();
      await client.enqueue('a', undefined, { queue: 'mails' });
      await clock.advance('1h');
      expect(logger.messages()).toEqual([]);
      await enqueueGroup('late', client);
      await clock.advance('30s');
      expect(logger.messages('warn')).toHaveLength(1);
    });

    it('causes no warning when one of its servers aggregates them', async () => {
      await aServer('mails');
      await aServer('mails', { aggregator: aggregate });
      await enqueueGroup('digest:1');
      await clock.advance('1h');
      expect(logger.messages()).toEqual([]);
    });

    it('causes no warning when a Go server reads it, which does not publish what it aggregates', async () => {
      await aServer('mails');
      await publishGoServer('mails');
      await enqueueGroup('digest:1');
      await clock.advance('30s');
      expect(logger.messages()).toEqual([]);
    });
  });
});
