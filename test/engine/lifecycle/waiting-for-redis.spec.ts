import { BrokerMonitor } from '../../../lib/engine/lifecycle/broker-monitor.js';
import { waitForBroker, type OpeningDeps } from '../../../lib/engine/lifecycle/wait-for-broker.js';
import { silentLogger } from '../../../lib/engine/logger.js';
import { openBroker } from '../../../lib/engine/open-broker.js';
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { ServerOptions } from '../../../lib/engine/server/server-options.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import type { Broker } from '../../../lib/model/broker/broker.js';
import { ms } from '../../../lib/model/time/duration.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { startRedis } from '../../support/redis-server.js';
import { startStub } from '../../support/stub-server.js';
import { until } from '../../support/until.js';
import { StandstillClock } from '../../support/standstill-clock.js';
import { eventLoopTurns, VirtualClock } from '../../support/virtual-clock.js';

const nobodyListens = 'Redis at 127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1; still trying';

describe('waiting for Redis', () => {
  let clock: VirtualClock;
  let logger: RecordingLogger;
  let broker: Broker;
  let giveUp: AbortController;

  beforeEach(() => {
    clock = new VirtualClock();
    logger = new RecordingLogger();
    giveUp = new AbortController();
  });

  afterEach(async () => {
    await broker.close();
    expect(clock.armedTimers).toBe(0);
  });

  /** Opens a broker whose connection lives in real time. */
  const opening = (redis: string, tries: OpeningDeps['tries']): Promise<unknown> => {
    broker = openBroker(redis, { clock: systemClock, logger: silentLogger, connectTimeout: '1h' });
    const opened = waitForBroker(broker, { clock, logger, signal: giveUp.signal, tries });
    return opened.catch((error: unknown) => error);
  };
  const failedOnce = (): Promise<unknown> => new Promise((resolve) => void broker.onAvailability(resolve));

  it.each(['once', 'until-open'] as const)('says so after two seconds, and every thirty (%s)', async (tries) => {
    const opened = opening('redis://127.0.0.1:1', tries);
    await failedOnce();
    await clock.advance('1999ms');
    expect(logger.messages()).toEqual([]);
    await clock.advance('1ms');
    expect(logger.messages('warn')).toEqual([nobodyListens]);
    await clock.advance('29s');
    expect(logger.messages('warn')).toHaveLength(1);
    await clock.advance('1s');
    expect(logger.messages('warn')).toEqual([nobodyListens, nobodyListens]);
    giveUp.abort('enough');
    expect(await opened).toBe('enough');
  });

  it.each([0, 1, 2, 3, 5])('does not report a standstill of this process, %i turns after it began', async (turns) => {
    const server = await startRedis();
    const still = new StandstillClock();
    const events: unknown[] = [];
    broker = openBroker(server.url, { clock: still, logger });
    const options = { clock: still, logger, broker, onDown: (error: Error) => events.push(error), onBack: () => {} };
    const monitor = new BrokerMonitor(options);
    const opened = waitForBroker(broker, { clock: still, logger, signal: giveUp.signal, tries: 'once' });
    await monitor.start();
    await eventLoopTurns(turns);
    still.standStill(ms(60_000));
    await opened;
    expect([...events, ...logger.messages()]).toEqual([]);
    await monitor.stop();
    await broker.close();
    await server.stop();
  });

  it('reports a server that does not answer at all', async () => {
    const stub = await startStub(() => {});
    const opened = opening(`redis://:hush@127.0.0.1:${stub.port}/2`, 'once');
    await clock.advance('2s');
    expect(logger.messages('warn')).toEqual([`redis://127.0.0.1:${stub.port}/2 does not answer; still trying`]);
    giveUp.abort('enough');
    await opened;
    await stub.stop();
  });

  it('says nothing when Redis is there in time', async () => {
    const redis = await startRedis();
    await opening(redis.url, 'once');
    await clock.advance('1m');
    expect(logger.messages()).toEqual([]);
    await broker.close();
    await redis.stop();
  });

  it('does not begin when it was aborted before', async () => {
    giveUp.abort('too late');
    expect(await opening('redis://127.0.0.1:1', 'once')).toBe('too late');
  });

  it('continues after the broker’s limit when waitForRedis is set', async () => {
    const redis = await startRedis();
    await redis.stop();
    broker = openBroker(redis.url, { clock: systemClock, logger: silentLogger, connectTimeout: '10ms' });
    let isOpen = false;
    const rested = new VirtualClock();
    const deps = { clock: rested, logger, signal: giveUp.signal, tries: 'until-open' } as const;
    const opened = waitForBroker(broker, deps).then(() => (isOpen = true));
    await expect(broker.open()).rejects.toThrow();
    const again = await startRedis({ port: redis.port });
    await until('it is open', async () => {
      await rested.advance('1s');
      return isOpen;
    });
    await opened;
    await broker.close();
    await again.stop();
  });

  describe('a server that waits for Redis', () => {
    const started = (redis: string, options: ServerOptions): { server: AsynqServer; starting: Promise<unknown> } => {
      broker = openBroker(redis, { clock: systemClock, logger: silentLogger, connectTimeout: '1h' });
      const server = new AsynqServer({ broker, clock, logger, ...options });
      return { server, starting: server.start(() => {}).catch((error: unknown) => error) };
    };

    it('says so while it starts, and stops waiting at once on shutdown', async () => {
      const { server, starting } = started('redis://127.0.0.1:1', {});
      await failedOnce();
      await clock.advance('2s');
      expect(logger.messages('warn')).toEqual([nobodyListens]);
      await server.shutdown();
      expect(await starting).toMatchObject({ code: 'ASYNQ_SERVER_CLOSED' });
    });

    it('says so with waitForRedis, also when Redis accepts connections but does not answer', async () => {
      const stub = await startStub(() => {});
      const { server, starting } = started(`redis://127.0.0.1:${stub.port}`, { waitForRedis: true });
      await starting;
      await clock.advance('1999ms');
      expect(logger.messages('error')).toEqual([]);
      await clock.advance('1ms');
      expect(logger.messages('error')).toEqual([`redis://127.0.0.1:${stub.port}/0 does not answer; still trying`]);
      await server.shutdown();
      await broker.close();
      await stub.stop();
    });
  });
});
