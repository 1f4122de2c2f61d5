import type { Availability, Broker } from '../model/broker/broker.js';
import type { EnqueueContract } from '../model/broker/enqueue.contract.js';
import type { MaintenanceContract } from '../model/broker/maintenance.contract.js';
import type { PresenceContract } from '../model/broker/presence.contract.js';
import type { ScheduleContract } from '../model/broker/schedule.contract.js';
import { type StorageNotice, StorageNotices } from '../model/broker/storage-notice.js';
import type { WorkContract } from '../model/broker/work.contract.js';
import { showCaller } from '../model/errors/caller-stack.js';
import { epochMs, type EpochMs } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { listReply, numberReply } from './connection/reply.js';
import { RedisEnqueue } from './redis-enqueue.js';
import { RedisMaintenance } from './redis-maintenance.js';
import { RedisPresence } from './redis-presence.js';
import { RedisSchedule } from './redis-schedule.js';
import { RedisWork } from './redis-work.js';
import { ScriptRunner } from './script-runner.js';

/**
 * Keeps queues in Redis, in Asynq's layout (P-18). It assembles the parts; the connection decides what to open and
 * close, and what was only borrowed.
 */
export class RedisBroker implements Broker {
  readonly enqueue: EnqueueContract;
  readonly work: WorkContract;
  readonly maintenance: MaintenanceContract;
  readonly presence: PresenceContract;
  readonly schedules: ScheduleContract;

  private readonly notices = new StorageNotices();

  constructor(private readonly connection: RedisConnection) {
    const deps = { connection, runner: new ScriptRunner(connection, this.notices) };
    this.enqueue = new RedisEnqueue(deps);
    this.work = new RedisWork(deps);
    this.maintenance = new RedisMaintenance(deps);
    this.presence = new RedisPresence(deps);
    this.schedules = new RedisSchedule(deps);
  }

  describe(): string {
    return this.connection.describe();
  }

  async open(): Promise<void> {
    await showCaller(this.connection.open());
  }

  async ping(): Promise<void> {
    await showCaller(this.connection.send('ping', []));
  }

  async time(): Promise<EpochMs> {
    const [seconds, microseconds] = listReply(await this.connection.send('time', []));
    return epochMs(numberReply(seconds) * 1_000 + numberReply(microseconds) / 1_000);
  }

  isAvailable(): boolean {
    return this.connection.isAvailable();
  }

  onAvailability(listener: (availability: Availability) => void): () => void {
    return this.connection.onAvailability(listener);
  }

  onNotice(listener: (notice: StorageNotice) => void): () => void {
    return this.notices.listen(listener);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
