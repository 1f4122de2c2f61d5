import { Redis } from 'ioredis';
import { startOwnRedis } from './support/own-redis.js';

/** The one Redis of a run, and what is asked of it between the measurements. */
export class BenchRedis {
  private constructor(
    readonly url: string,
    private readonly client: Redis,
    private readonly end: () => Promise<void>,
  ) {}

  static async start(): Promise<BenchRedis> {
    const server = await startOwnRedis();
    const client = new Redis(server.url);
    const end = async (): Promise<void> => {
      client.disconnect();
      await server.stop();
    };
    return new BenchRedis(server.url, client, end);
  }

  /** Name and version of the server. */
  async version(): Promise<string> {
    const info = await this.client.info('server');
    const valkey = /valkey_version:(\S+)/.exec(info)?.[1];
    return valkey === undefined ? `Redis ${/redis_version:(\S+)/.exec(info)?.[1]}` : `Valkey ${valkey}`;
  }

  async flush(): Promise<void> {
    await this.client.flushall('SYNC');
  }

  async usedMemory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await this.client.info('memory'))?.[1]);
  }

  async resetStatistics(): Promise<void> {
    await this.client.config('RESETSTAT');
  }

  /** Time spent in scripts since {@link resetStatistics}, in microseconds; all our commands on tasks are scripts. */
  async microsInScripts(): Promise<number> {
    const info = await this.client.info('commandstats');
    const lines = [...info.matchAll(/^cmdstat_(?:evalsha|eval):calls=\d+,usec=(\d+)/gm)];
    return lines.reduce((sum, [, micros]) => sum + Number(micros), 0);
  }

  /** Commands carried out since {@link resetStatistics}, those inside scripts included. */
  async commandsProcessed(): Promise<number> {
    return Number(/total_commands_processed:(\d+)/.exec(await this.client.info('stats'))?.[1]);
  }

  /** Processor time that the server has used since its start, in seconds. */
  async processorSeconds(): Promise<number> {
    const info = await this.client.info('cpu');
    return Number(/used_cpu_user:([\d.]+)/.exec(info)?.[1]) + Number(/used_cpu_sys:([\d.]+)/.exec(info)?.[1]);
  }

  /** Round trips of one caller that waits for each bare PING, a second. */
  async pingRate(pings: number): Promise<number> {
    for (let sent = 0; sent < pings / 5; sent++) await this.client.ping();
    const start = performance.now();
    for (let sent = 0; sent < pings; sent++) await this.client.ping();
    return (pings / (performance.now() - start)) * 1_000;
  }

  async stop(): Promise<void> {
    await this.end();
  }
}
