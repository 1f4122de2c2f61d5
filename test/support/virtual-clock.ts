export { eventLoopTurns, VirtualClock } from '../../lib/testing/virtual-clock.js';
