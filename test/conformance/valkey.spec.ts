import { findRedisServer, startRedisServer } from '../../scripts/redis-server.mjs';
import { describeBroker } from './describe-broker.js';
import { redisBackend } from './redis-backends.js';

const server = findRedisServer(['valkey-server']);

if (server === undefined) {
  process.stderr.write('conformance: RedisBroker on Valkey: left out, there is no valkey-server on the path\n');
  describe('RedisBroker on Valkey', () => {
    it('is skipped if valkey-server is not on the path', () => {
      expect(server).toBeUndefined();
    });
  });
} else {
  describeBroker('RedisBroker on Valkey', {
    create: async () => {
      const running = await startRedisServer({ server });
      const backend = await redisBackend(running.url);
      const close = async () => {
        await backend.close();
        await running.stop();
      };
      return { ...backend, close };
    },
    skips: [],
  });
}
