import type {
  CancelResult,
  CancelRequest,
  MaintenanceNews,
  PresenceContract,
  SignalListener,
} from '../model/broker/presence.contract.js';
import { type ServerInfo, serverName } from '../model/broker/presence.js';
import { addMs, fromSeconds, toLifetimeSeconds } from '../model/time/duration.js';
import { cancelTask } from './memory-cancel.js';
import { expiryInstant, type MemoryContext } from './memory-context.js';
import { copyOf } from './stored-record.js';

/** The presence contract in memory. */
export class MemoryPresence implements PresenceContract {
  constructor(private readonly deps: MemoryContext) {}

  async publishServer(request: Parameters<PresenceContract['publishServer']>[0]): Promise<void> {
    const { lifetime, store } = this.deps;
    lifetime.refuseClosed();
    const { server, workers, ttl } = request;
    const at = expiryInstant(this.deps, request.now);
    const value = {
      server: { ...server, queues: { ...server.queues } },
      workers: workers.map((worker) => ({ ...worker, taskPayload: copyOf(worker.taskPayload) })),
    };
    store.servers.sweep(at);
    store.servers.set(serverName(server), { value, expiresAt: addMs(at, fromSeconds(toLifetimeSeconds(ttl))) });
  }

  async clearServer(server: ServerInfo): Promise<void> {
    this.deps.lifetime.refuseClosed();
    this.deps.store.servers.delete(serverName(server));
  }

  async listAlive(serverIds: readonly string[]): Promise<ReadonlySet<string>> {
    const { lifetime, store, clock } = this.deps;
    lifetime.refuseClosed();
    const now = clock.now();
    return new Set(serverIds.filter((id) => store.servers.get(id, now) !== undefined));
  }

  async listServers(): Promise<readonly ServerInfo[]> {
    const { lifetime, store, clock } = this.deps;
    lifetime.refuseClosed();
    return store.servers.valuesAt(clock.now()).map(({ server }) => ({ ...server, queues: { ...server.queues } }));
  }

  /** No signal is ever missed, so `onReconnect` is never called. Closing the broker ends the subscription. */
  async subscribe(listener: SignalListener): Promise<() => Promise<void>> {
    const { lifetime, store } = this.deps;
    lifetime.refuseClosed();
    const end = store.signals.subscribe(listener);
    lifetime.ended.addEventListener('abort', end, { once: true });
    return async () => {
      lifetime.ended.removeEventListener('abort', end);
      end();
    };
  }

  async cancel(request: CancelRequest): Promise<CancelResult> {
    this.deps.lifetime.refuseClosed();
    return cancelTask(this.deps, request);
  }

  async announceMaintenance(news: MaintenanceNews): Promise<void> {
    this.deps.lifetime.refuseClosed();
    this.deps.store.signals.maintenance(news);
  }

  async signalCancel(taskId: string): Promise<void> {
    this.deps.lifetime.refuseClosed();
    this.deps.store.signals.cancel(taskId, undefined);
  }
}
