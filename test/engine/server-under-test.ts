import type { Redis } from 'ioredis';
import type { EngineEvents } from '../../lib/engine/engine-events.js';
import type { Handler } from '../../lib/engine/middleware.js';
import { AsynqServer } from '../../lib/engine/server/asynq-server.js';
import type { AsynqServerOptions } from '../../lib/engine/server/server-options.js';
import type { TaskMux } from '../../lib/engine/server/task-mux.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import type { Broker } from '../../lib/model/broker/broker.js';
import type { EnqueuePlace } from '../../lib/model/broker/enqueue.contract.js';
import { decodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import type { Clock } from '../../lib/model/time/clock.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { type QueueKeys, queueKeys, taskKey } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { seededRandom } from '../support/seeded-random.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { until } from '../support/until.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { signalListener } from '../support/signal-listener.js';

/** What happened, in order: the name of an event and the id of its task, if it has one. */
export interface Happening<N extends keyof EngineEvents = keyof EngineEvents> {
  readonly name: N;
  readonly event: EngineEvents[N];
}

const eventNames = (
  'started completed retry archived revoked snoozed requeued returned canceled recovered leaseLost lateOutcome stuck ' +
  'undecodable healed wrongType dropped aggregated aggregationFailed loopBlocked clockOff clockRight brokerDown brokerUp'
).split(' ') as readonly (keyof EngineEvents)[];

/** Servers on queues of a test's own, and a plain client that reads them as any other process does. */
export class ServerUnderTest {
  readonly queue = uniqueQueue('server');
  readonly keys: QueueKeys = queueKeys(this.queue);
  readonly logger = new RecordingLogger();
  readonly happenings: Happening[] = [];
  readonly #servers: AsynqServer[] = [];
  readonly #queues: string[] = [this.queue];
  #ids = 0;

  private constructor(
    readonly url: string,
    readonly redis: Redis,
    readonly broker: Broker,
    readonly clock: Clock,
  ) {}

  /** With the real time, or with one that moves when told. */
  static open(options: { readonly url?: string; readonly time?: 'real' | 'virtual' } = {}): ServerUnderTest {
    const url = options.url ?? sharedRedisUrl();
    const broker = new RedisBroker(createRedisConnection(url, { clock: systemClock }));
    const clock =
      options.time === 'virtual'
        ? new VirtualClock({ now: new Date(), settle: async () => await settled(broker) })
        : systemClock;
    return new ServerUnderTest(url, rawClient(url), broker, clock);
  }

  /** The clock when it is virtual. */
  get time(): VirtualClock {
    if (!(this.clock instanceof VirtualClock)) throw new Error('this test runs in real time');
    return this.clock;
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.#servers.map((server) => server.shutdown()));
    // Handlers that never end are waited for.
    if (this.clock instanceof VirtualClock) await this.clock.advance('10s');
    await closing;
    await deleteQueues(this.redis, this.#queues);
    await this.broker.close();
    this.redis.disconnect();
  }

  /** A queue name that is cleaned up with the others. */
  anotherQueue(): string {
    const queue = uniqueQueue('server');
    this.#queues.push(queue);
    return queue;
  }

  /** A server on the test's queue that is shut down at the end. */
  create(options: AsynqServerOptions = {}): AsynqServer {
    const server = new AsynqServer({
      broker: this.broker,
      clock: this.clock,
      random: seededRandom(),
      logger: this.logger,
      queues: { [this.queue]: 1 },
      concurrency: 10,
      ...options,
    });
    this.#servers.push(server);
    for (const name of eventNames) server.events.on(name, (event) => void this.happenings.push({ name, event }));
    return server;
  }

  /** The same, started. */
  async start(handler: Handler | TaskMux, options: AsynqServerOptions = {}): Promise<AsynqServer> {
    const server = this.create(options);
    await server.start(handler);
    return server;
  }

  /** Stores a task and answers with its id. */
  async enqueue(parts: Partial<TaskMessage> = {}, place: EnqueuePlace = { kind: 'pending' }): Promise<string> {
    const id = parts.id ?? `task-${(this.#ids += 1)}`;
    const queue = parts.queue ?? this.queue;
    const message = aTaskMessage({ type: 'test:task', maxRetry: 25, timeoutSeconds: 1_800, ...parts, id, queue });
    const request = { message, place, uniqueForSeconds: 0, idIsGenerated: false };
    const [outcome] = await this.broker.enqueue.enqueue([request], this.clock.now());
    if (outcome !== 'enqueued') throw new Error(`not enqueued: ${String(outcome)}`);
    return id;
  }

  /** What the task hash says; `gone` without a hash. */
  async stateOf(id: string, queue = this.queue): Promise<string> {
    return (await this.redis.hget(taskKey(queueKeys(queue), id), 'state')) ?? 'gone';
  }

  async message(id: string, queue = this.queue): Promise<TaskMessage> {
    const bytes = await this.redis.hgetBuffer(taskKey(queueKeys(queue), id), 'msg');
    const decoded = decodeTaskMessage(bytes ?? Buffer.from('not there'));
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.message;
  }

  async untilState(id: string, state: string, queue = this.queue): Promise<void> {
    await until(`task ${id} is ${state}`, async () => (await this.stateOf(id, queue)) === state);
  }

  /** Waits until the servers on the test's own broker hear signals: they share its subscription, and asked first. */
  async untilSubscribed(): Promise<void> {
    const unsubscribe = await this.broker.presence.subscribe(signalListener());
    await unsubscribe();
  }

  /** Waits until an event has happened `count` times; answers with all of them. */
  async untilHappened<N extends keyof EngineEvents>(name: N, count = 1): Promise<readonly EngineEvents[N][]> {
    await until(`${name} happened ${count} times`, () => this.happened(name).length >= count);
    return this.happened(name);
  }

  /** Every event of a name so far. */
  happened<N extends keyof EngineEvents>(name: N): readonly EngineEvents[N][] {
    return this.happenings.filter((one) => one.name === name).map((one) => one.event as EngineEvents[N]);
  }

  /** Ends of leases, whole seconds. */
  async leaseOf(id: string, queue = this.queue): Promise<number | undefined> {
    const score = await this.redis.zscore(queueKeys(queue).lease, id);
    return score === null ? undefined : Number(score);
  }
}

/** Several round trips: a fetch, its outcome and what follows from it. */
async function settled(broker: Broker): Promise<void> {
  if (!broker.isAvailable()) return;
  for (let trip = 0; trip < 4; trip += 1) {
    await broker.ping();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
