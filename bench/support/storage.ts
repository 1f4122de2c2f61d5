import { Redis } from 'ioredis';
import { AsynqClient } from 'nestjs-asynq/core';
import type { RedisServerOptions, RunningRedisServer } from '../../scripts/redis-server.mjs';
import type { DrillContext } from '../drills/drill-context.js';
import { startOwnRedis } from './own-redis.js';

/** A Redis of a drill's own, a plain client that looks into it, and one of ours that enqueues. */
export interface Storage {
  readonly own: RunningRedisServer;
  readonly redis: Redis;
  readonly client: AsynqClient;
}

/** Starts them; they end with the drill. */
export async function openStorage(
  { atEnd }: Pick<DrillContext, 'atEnd'>,
  options: RedisServerOptions = {},
): Promise<Storage> {
  const own = await startOwnRedis(options);
  atEnd(() => own.stop());
  const redis = new Redis(own.url);
  atEnd(() => redis.disconnect());
  const client = new AsynqClient({ redis: own.url });
  atEnd(() => client.close());
  return { own, redis, client };
}
