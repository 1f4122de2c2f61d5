/**
 * Every key of a queue with its content, without what differs from run to run: the clock's readings are told apart
 * from given instants by lying near now.
 *
 * @param {import('ioredis').Redis} redis
 * @param {string} queue a name without characters that mean something in a pattern
 * @returns {Promise<Record<string, unknown>>} key without the queue's prefix -> content
 */
export async function describeQueue(redis, queue) {
  const prefix = `asynq:{${queue}}:`;
  /** @type {Record<string, unknown>} */
  const stored = {};
  for (const key of (await redis.keys(`${prefix}*`)).sort()) {
    stored[key.slice(prefix.length)] = await describeKey(redis, key);
  }
  return stored;
}

async function describeKey(redis, key) {
  switch (await redis.type(key)) {
    case 'hash': {
      const fields = Object.entries(await redis.hgetallBuffer(key)).sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(fields.map(([field, value]) => [field, describeField(field, value)]));
    }
    case 'zset': {
      const flat = await redis.zrange(key, 0, '-1', 'WITHSCORES');
      const scores = {};
      for (let i = 0; i < flat.length; i += 2) scores[flat[i]] = describeSeconds(Number(flat[i + 1]));
      return scores;
    }
    case 'list':
      return await redis.lrange(key, 0, -1);
    case 'set':
      return (await redis.smembers(key)).sort();
    default:
      return await redis.get(key);
  }
}

function describeField(field, value) {
  if (field === 'msg') return value.toString('hex');
  if (field !== 'pending_since') return value.toString();
  return /^\d{19}$/.test(value.toString()) ? describeSeconds(Number(value.toString().slice(0, 10))) : value.toString();
}

function describeSeconds(seconds) {
  return Math.abs(seconds - Date.now() / 1_000) < 60 ? 'now' : seconds;
}
