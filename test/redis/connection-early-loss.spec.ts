import { BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import { aConnection, aWait, closeConnections } from '../support/connections.js';
import { startRedis } from '../support/redis-server.js';

describe('a waiting connection', () => {
  afterEach(closeConnections);

  it('ends its wait when Redis dies at any moment while it is connecting', async () => {
    for (let delay = 0; delay < 5; delay += 0.25) {
      const redis = await startRedis();
      const connection = aConnection(redis.url);
      await connection.open();
      const stop = new AbortController();
      const waiting = connection
        .sendBlocking(aWait('nothing', { signal: stop.signal }))
        .catch((error: unknown) => error);
      const killAt = performance.now() + delay;
      while (performance.now() < killAt) await new Promise<void>((resolve) => void setImmediate(resolve));
      await redis.kill();
      expect(await waiting).toBeInstanceOf(BrokerUnavailableError);
      await closeConnections();
      await redis.stop();
    }
  });
});
