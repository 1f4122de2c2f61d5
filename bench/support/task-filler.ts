import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { AsynqClient } from 'nestjs-asynq/core';

/** Tasks that are written straight into Redis, many at a time. */
export interface Filling {
  readonly queue: string;
  readonly count: number;
  /** What the tasks say of themselves; `undefined` for ids without a task. */
  readonly state: string | undefined;
  /** Sorted sets that get the ids, each with the score they get there. */
  readonly places: Readonly<Record<string, number>>;
  /** Fields of the tasks' records besides those that every task has. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Whether each task holds a unique lock, for an hour. */
  readonly locked?: boolean;
}

const perCall = 1_000;
const callsAtOnce = 50;

// KEYS: places; ARGV: prefix of the queue's keys, first number, count, state, message, prefix of locks or '', the score
// of each place, then fields and values. Ids are spread as random ones are, and the same in each run.
const script = `
local prefix, first, count, state, message, lock = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local ids = {}
for i = 1, count do
  local number = first + i
  ids[i] = string.format('%08x-0000-4000-8000-%012x', number * 2654435761 % 4294967296, number)
  local hash = prefix .. 't:' .. ids[i]
  if state ~= '' then
    redis.call('HSET', hash, 'msg', message, 'state', state, unpack(ARGV, 7 + #KEYS))
  end
  if lock ~= '' then
    redis.call('SET', lock .. ids[i], ids[i], 'EX', 3600)
    if state ~= '' then
      redis.call('HSET', hash, 'unique_key', lock .. ids[i])
    end
  end
end
for at, key in ipairs(KEYS) do
  local score, members = ARGV[6 + at], {}
  for i = 1, count do
    members[2 * i - 1], members[2 * i] = score, ids[i]
  end
  redis.call('ZADD', key, unpack(members))
end`;

/** Puts a million tasks where a drill needs them, within seconds. */
export class TaskFiller {
  constructor(
    private readonly redis: Redis,
    private readonly client: AsynqClient,
  ) {}

  /** Writes the tasks; each has the record of a task of type `type`, with a payload of `payloadBytes`. */
  async store(
    { queue, count, state, places, fields = {}, locked = false }: Filling,
    payloadBytes = 100,
  ): Promise<void> {
    const message = await this.#messageOf(queue, payloadBytes);
    const prefix = `asynq:{${queue}}:`;
    const keys = Object.keys(places).map((name) => prefix + name);
    const scores = Object.values(places).map(String);
    const lock = locked ? `${prefix}unique:drill:` : '';
    for (let first = 0; first < count; first += perCall * callsAtOnce) {
      const calls: Promise<unknown>[] = [];
      for (let from = first; from < Math.min(count, first + perCall * callsAtOnce); from += perCall) {
        const some = Math.min(perCall, count - from);
        const values = [prefix, from, some, state ?? '', message, lock, ...scores, ...Object.entries(fields).flat()];
        calls.push(this.redis.eval(script, keys.length, ...keys, ...values));
      }
      await Promise.all(calls);
    }
    await this.redis.sadd('asynq:queues', queue);
  }

  async #messageOf(queue: string, bytes: number): Promise<Buffer> {
    const taskId = randomUUID();
    await this.client.enqueue('drill', { text: 'x'.repeat(bytes) }, { queue, taskId });
    const [key, pending] = [`asynq:{${queue}}:t:${taskId}`, `asynq:{${queue}}:pending`];
    const message = await this.redis.hgetBuffer(key, 'msg');
    await this.redis.multi().del(key).lrem(pending, 0, taskId).exec();
    if (message === null) throw new Error('The pattern of a task was not stored');
    return message;
  }
}
