import { describeBroker } from './describe-broker.js';
import { memoryBackend } from './memory-backend.js';

describeBroker('MemoryBroker', { create: memoryBackend, skips: [] });
