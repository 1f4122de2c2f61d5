import { sharedRedisUrl } from '../support/redis-server.js';
import { describeBroker } from './describe-broker.js';
import { redisBackend } from './redis-backends.js';

describeBroker('RedisBroker', { create: async () => await redisBackend(sharedRedisUrl()), skips: [] });
