import type { RunningRedisServer } from '../../scripts/redis-server.mjs';

/** Ends the server that the run started; leaves TEST_REDIS_URL's alone. */
export default async function globalTeardown(): Promise<void> {
  await (globalThis as { asynqTestServer?: RunningRedisServer }).asynqTestServer?.stop();
}
