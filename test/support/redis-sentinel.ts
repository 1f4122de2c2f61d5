import { Redis } from 'ioredis';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { startRedis } from './redis-server.js';
import { until } from './until.js';

/** A master with one replica, watched by one sentinel. */
export interface RunningSentinel {
  readonly sentinel: RunningRedisServer;
  readonly name: string;
  readonly master: RunningRedisServer;
  readonly replica: RunningRedisServer;
  /** Kills the master, and resolves when the sentinel has made the replica the master. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a master, a replica and a sentinel; the passwords are the sentinel's and the data servers'. */
export async function startSentinel(
  options: { readonly sentinelPassword?: string; readonly password?: string } = {},
): Promise<RunningSentinel> {
  const name = 'mymaster';
  const auth = options.password === undefined ? [] : ['--masterauth', options.password];
  const server = options.password === undefined ? {} : { password: options.password };
  const master = await startRedis({ ...server, args: auth });
  const replica = await startRedis({
    ...server,
    args: [...auth, '--replicaof', `127.0.0.1 ${master.port}`, '--repl-diskless-sync-delay', '0'],
  });
  const lines = [
    `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 3000`,
    ...(options.password === undefined ? [] : [`sentinel auth-pass ${name} "${options.password}"`]),
    ...(options.sentinelPassword === undefined ? [] : [`requirepass "${options.sentinelPassword}"`]),
  ];
  const sentinel = await startRedis({ config: `${lines.join('\n')}\n`, args: ['--sentinel'] });
  const client = new Redis(sentinel.port, {
    protocol: 2,
    disconnectTimeout: 50,
    password: options.sentinelPassword ?? '',
  });
  await until('the sentinel knows the replica', async () => {
    const replicas = (await client.call('SENTINEL', 'REPLICAS', name)) as string[][];
    return replicas.some((fields) => fields.includes('ok') && fields.includes(String(replica.port)));
  });
  const running = { sentinel, name, master, replica };
  return {
    ...running,
    failOver: async () => {
      await master.kill();
      await until(
        'the replica is the master',
        async () => {
          const address = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[];
          return address[1] === String(replica.port);
        },
        { within: '45s' },
      );
    },
    stop: async () => {
      client.disconnect();
      await Promise.all([sentinel, master, replica].map((one) => one.stop()));
    },
  };
}
