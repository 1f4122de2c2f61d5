import type { Broker } from '../../lib/model/broker/broker.js';
import type { PresenceContract } from '../../lib/model/broker/presence.contract.js';
import type { ScheduleContract } from '../../lib/model/broker/schedule.contract.js';
import type { WorkContract } from '../../lib/model/broker/work.contract.js';
import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import { BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';

/**
 * How a call goes wrong: `lost-before` never reaches the server, `lost-after` is carried out and
 * its answer is lost, an error is what the server answers, a promise keeps the answer back until it is fulfilled.
 */
export type Fault = 'lost-before' | 'lost-after' | AsynqError | Promise<void>;

/** A broker whose calls go wrong as told; everything else goes through. */
export interface FaultyBroker extends Broker {
  /** What happens to the next calls, one entry each; with none left they go through. */
  readonly faults: {
    readonly settle: Fault[];
    readonly dequeue: Fault[];
    readonly extendLeases: Fault[];
    readonly enqueueTick: Fault[];
    readonly subscribe: Fault[];
  };
}

/**
 * Wraps a broker so that calls can be made to fail.
 *
 * @example
 * const broker = faultyBroker(redisBroker);
 * broker.faults.settle.push('lost-before');
 */
export function faultyBroker(broker: Broker): FaultyBroker {
  const faults: FaultyBroker['faults'] = { settle: [], dequeue: [], extendLeases: [], enqueueTick: [], subscribe: [] };
  const lost = (): BrokerUnavailableError => new BrokerUnavailableError('The connection was lost');
  const { work, presence, schedules } = broker;
  const guarded = async <T>(queue: Fault[], call: () => Promise<T>): Promise<T> => {
    const fault = queue.shift();
    if (fault === 'lost-before') throw lost();
    if (fault instanceof AsynqError) throw fault;
    const answer = await call();
    if (fault === 'lost-after') throw lost();
    await fault;
    return answer;
  };
  const faultyWork: WorkContract = {
    dequeue: async (request) => await guarded(faults.dequeue, async () => await work.dequeue(request)),
    extendLeases: async (request) => await guarded(faults.extendLeases, async () => await work.extendLeases(request)),
    async settle(request) {
      try {
        return await guarded(faults.settle, async () => await work.settle(request));
      } catch (error) {
        return request.settlements.map(() => error as AsynqError);
      }
    },
    writeResult: async (request) => await work.writeResult(request),
    waitForTask: async (request) => await work.waitForTask(request),
    findWithTasks: async (queues) => await work.findWithTasks(queues),
    isPaused: async (queue) => await work.isPaused(queue),
  };
  const faultySchedule: ScheduleContract = {
    enqueueTick: async (request) => await guarded(faults.enqueueTick, async () => await schedules.enqueueTick(request)),
    latestTicks: async (names) => await schedules.latestTicks(names),
    publishSchedules: async (request) => await schedules.publishSchedules(request),
    clearSchedules: async (schedulerId) => await schedules.clearSchedules(schedulerId),
    recordEvent: async (request) => await schedules.recordEvent(request),
  };
  const faultyPresence: PresenceContract = {
    publishServer: async (request) => await presence.publishServer(request),
    clearServer: async (server) => await presence.clearServer(server),
    listAlive: async (serverIds) => await presence.listAlive(serverIds),
    listServers: async () => await presence.listServers(),
    subscribe: async (listener) => await guarded(faults.subscribe, async () => await presence.subscribe(listener)),
    announceMaintenance: async (request) => await presence.announceMaintenance(request),
    cancel: async (request) => await presence.cancel(request),
    signalCancel: async (taskId) => await presence.signalCancel(taskId),
  };
  return {
    faults,
    work: faultyWork,
    enqueue: broker.enqueue,
    maintenance: broker.maintenance,
    presence: faultyPresence,
    schedules: faultySchedule,
    describe: () => broker.describe(),
    open: async () => await broker.open(),
    ping: async () => await broker.ping(),
    time: async () => await broker.time(),
    isAvailable: () => broker.isAvailable(),
    onAvailability: (listener) => broker.onAvailability(listener),
    onNotice: (listener) => broker.onNotice(listener),
    close: async () => await broker.close(),
  };
}
