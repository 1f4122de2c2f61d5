import type { RedisOptions } from 'ioredis';

/** Where Redis is. */
export type RedisOption = string | RedisOptions;
