import type { Redis } from 'ioredis';

export function describeQueue(redis: Redis, queue: string): Promise<Record<string, unknown>>;
