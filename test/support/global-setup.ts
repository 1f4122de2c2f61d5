// Jest loads this file without the module mapping of tests: only paths that Node itself resolves work here.
import { type RunningRedisServer, startRedisServer } from '../../scripts/redis-server.mjs';

/** One Redis for the whole run: the one of TEST_REDIS_URL, else one of our own. */
export default async function globalSetup(): Promise<void> {
  if (process.env['TEST_REDIS_URL']) return;
  try {
    const server = await startRedisServer();
    (globalThis as { asynqTestServer?: RunningRedisServer }).asynqTestServer = server;
    process.env['TEST_REDIS_URL'] = server.url;
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
