import { describeBroker } from './describe-broker.js';
import { clusterBackend } from './redis-backends.js';

describeBroker('RedisBroker on a cluster', { create: clusterBackend, skips: [] });
