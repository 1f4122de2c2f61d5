import { decodeServerInfo, encodeServerInfo, encodeWorkerInfo } from '../model/broker/presence.codec.js';
import type {
  CancelResult,
  CancelRequest,
  CancelOutcome,
  MaintenanceNews,
  PresenceContract,
  SignalListener,
} from '../model/broker/presence.contract.js';
import { type ServerInfo, serverName } from '../model/broker/presence.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import { epochMs, ms, toEpochSeconds, toLifetimeSeconds } from '../model/time/duration.js';
import type { RedisArgument, RedisConnection } from './connection/redis-connection.js';
import { globalKeys, serverKey, workersKey } from './keys.js';
import { RedisCancel } from './redis-cancel.js';
import { listReply, numberReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Publishes that a server is alive and what it runs (P-104). */
export const publishServerScript = defineScript({
  file: 'publish-server.lua',
  keys: ['server', 'workers'],
  args: ['ttl', 'serverInfo', '...running'],
  replies: ['PUBLISHED'],
});

/** Adds the key of a server to the list of servers. */
export const listKeyScript = defineScript({
  file: 'list-key.lua',
  keys: ['registry'],
  args: ['expiresAt', 'key'],
  replies: ['LISTED'],
});

interface PresenceDeps {
  readonly connection: RedisConnection;
  readonly runner: ScriptRunner;
}

/** Does by a script, which costs three times as much, what a server out of memory refuses as a plain command. */
async function orByScript(command: Promise<unknown>, script: () => Promise<unknown>): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof BrokerCommandError)) throw error;
    await script();
  }
}

/** A key in a list of expiring keys. */
interface Listing {
  readonly registry: string;
  readonly expiresAt: number;
  readonly key: string;
}

/**
 * Adds a key to a list of expiring keys. If the list has a wrong type, that is only reported: publishing must not fail
 * for lack of the list.
 */
export async function listKey(
  { connection, runner }: PresenceDeps,
  { registry, expiresAt, key }: Listing,
): Promise<void> {
  const command = async (): Promise<void> =>
    await orByScript(
      connection.send('zadd', [registry, expiresAt, key]),
      async () => await runner.run(listKeyScript, [registry], [expiresAt, key]),
    );
  await runner.withKey({ key: registry, type: 'zset' }, { command, otherwise: undefined });
}

/** How many servers are listed; a larger fleet is rare, and nobody needs all of it. */
const maxListed = 1_000;

const { cancelChannel, cancelRequestChannel, wakeChannel, dueChannel, maintenanceChannel } = globalKeys;
/** Queues that one message names. */
const maxAnnounced = 500;

/** The presence contract on Redis. */
export class RedisPresence implements PresenceContract {
  readonly #cancel: RedisCancel;
  /** Servers whose last publication named running tasks. */
  readonly #withRunning = new Set<string>();

  constructor(private readonly deps: PresenceDeps) {
    this.#cancel = new RedisCancel(deps);
  }

  async publishServer(request: Parameters<PresenceContract['publishServer']>[0]): Promise<void> {
    const { server, ttl, now } = request;
    const ttlSeconds = toLifetimeSeconds(ttl);
    const expiresAt = toEpochSeconds(now) + ttlSeconds;
    const id = serverName(server);
    const running: RedisArgument[] = [];
    for (const worker of request.workers) running.push(worker.taskId, encodeWorkerInfo(worker));
    const workers = { registry: globalKeys.workers, expiresAt, key: workersKey(id) };
    await Promise.all([
      listKey(this.deps, { registry: globalKeys.servers, expiresAt, key: serverKey(id) }),
      // An idle server has no such key.
      running.length === 0 ? undefined : listKey(this.deps, workers),
      this.#publish(id, [ttlSeconds, encodeServerInfo(server), ...running]),
    ]);
  }

  async #publish(id: string, args: readonly RedisArgument[]): Promise<void> {
    const [ttlSeconds = 0, serverInfo = ''] = args;
    const hasRunning = args.length > 2;
    const script = async (): Promise<unknown> =>
      await this.deps.runner.run(publishServerScript, [serverKey(id), workersKey(id)], args);
    if (hasRunning || this.#withRunning.has(id)) await script();
    else await orByScript(this.deps.connection.send('set', [serverKey(id), serverInfo, 'EX', ttlSeconds]), script);
    if (hasRunning) this.#withRunning.add(id);
    else this.#withRunning.delete(id);
  }

  async clearServer(server: ServerInfo): Promise<void> {
    const id = serverName(server);
    const { connection } = this.deps;
    this.#withRunning.delete(id);
    await Promise.all([
      connection.send('zrem', [globalKeys.servers, serverKey(id)]),
      connection.send('zrem', [globalKeys.workers, workersKey(id)]),
      connection.send('del', [serverKey(id), workersKey(id)]),
    ]);
  }

  async listAlive(serverIds: readonly string[]): Promise<ReadonlySet<string>> {
    const { connection } = this.deps;
    // One command per server: the keys of different servers are in different slots of a cluster.
    const replies = await Promise.all(serverIds.map((id) => connection.send('exists', [serverKey(id)])));
    return new Set(serverIds.filter((_, at) => numberReply(replies[at]) === 1));
  }

  async listServers(): Promise<readonly ServerInfo[]> {
    const { connection } = this.deps;
    // Whether a record exists depends on its time to live, not on scores from the servers' clocks.
    const keys = listReply(await connection.send('zrange', [globalKeys.servers, -maxListed, -1])).map(textReply);
    const records = await Promise.all(keys.map((key) => connection.send('get', [key])));
    return records.flatMap((record) => {
      const server = Buffer.isBuffer(record) ? decodeServerInfo(record) : undefined;
      return server?.ok === true ? [server.value] : [];
    });
  }

  async subscribe(listener: SignalListener): Promise<() => Promise<void>> {
    return await this.deps.connection.subscribe({
      channels: [cancelChannel, cancelRequestChannel, wakeChannel, dueChannel, maintenanceChannel],
      onMessage: (channel, message) => {
        if (channel === wakeChannel) listener.onWake(message);
        else if (channel === dueChannel) hearDue(message, listener);
        else if (channel === maintenanceChannel) hearMaintenance(message, listener);
        else if (channel === cancelRequestChannel) hearCancelRequest(message, listener);
        else listener.onCancel(message, undefined);
      },
      onReconnect: () => listener.onReconnect(),
    });
  }

  async cancel(request: CancelRequest): Promise<CancelResult> {
    return await this.#cancel.cancel(request);
  }

  async announceMaintenance({ owner, queues, heldFor }: MaintenanceNews): Promise<void> {
    const { connection } = this.deps;
    for (let start = 0; start < queues.length; start += maxAnnounced) {
      const news = { owner, heldFor, queues: queues.slice(start, start + maxAnnounced) };
      await connection.send('publish', [maintenanceChannel, JSON.stringify(news)]);
    }
  }

  async signalCancel(taskId: string): Promise<void> {
    await this.deps.connection.send('publish', [cancelChannel, taskId]);
  }
}

function hearDue(message: string, listener: SignalListener): void {
  const space = message.indexOf(' ');
  const dueAt = Number(message.slice(0, space));
  if (space > 0 && Number.isFinite(dueAt)) listener.onDue(message.slice(space + 1), epochMs(dueAt));
}

// Anybody can publish anything: messages that are not requests of ours are ignored.
function hearCancelRequest(message: string, listener: SignalListener): void {
  const { queue, id, outcome } = fieldsOf(message);
  if (typeof queue === 'string' && typeof id === 'string' && isCancelOutcome(outcome))
    listener.onCancel(id, { queue, outcome });
}

function hearMaintenance(message: string, listener: SignalListener): void {
  const { owner, queues, heldFor } = fieldsOf(message);
  if (typeof owner !== 'string' || !Array.isArray(queues) || typeof heldFor !== 'number' || heldFor < 0) return;
  const names = queues.filter((queue): queue is string => typeof queue === 'string');
  listener.onMaintenance({ owner, queues: names, heldFor: ms(heldFor) });
}

function fieldsOf(message: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(message)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

function isCancelOutcome(value: unknown): value is CancelOutcome {
  return value === 'archive' || value === 'delete' || value === 'retry';
}
