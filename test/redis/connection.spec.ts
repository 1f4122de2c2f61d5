import { createRedisConnection } from '../../lib/redis/create-connection.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { sharedRedisUrl } from '../support/redis-server.js';

describe('RedisConnection', () => {
  it('sends a command and gives its reply in bytes', async () => {
    const connection = createRedisConnection(sharedRedisUrl(), { clock: systemClock });
    await connection.open();
    expect(await connection.send('echo', [Buffer.from([0xff, 0x00])])).toEqual(Buffer.from([0xff, 0x00]));
    expect(await connection.send('eval', ['return {1, false, "a"}', 0])).toEqual([1, null, Buffer.from('a')]);
    await connection.close();
  });
});
