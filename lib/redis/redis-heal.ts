import { addToGroup } from '../model/broker/group-by.js';
import type { Disorder, DisorderKind } from '../model/broker/maintenance.contract.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import { decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { TaskMessage } from '../model/task/task-message.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { globalKeys, queueKeys, taskKey } from './keys.js';
import { listReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';
import { pendingSince } from './settle-scripts.js';

/** Heals what is still inconsistent in a queue. */
export const healScript = defineScript({
  file: 'heal.lua',
  keys: [
    'pending',
    'active',
    'lease',
    'scheduled',
    'retry',
    'archived',
    'completed',
    'groups',
    'aggregationSets',
    'due',
  ],
  args: ['taskPrefix', 'groupPrefix', 'now', 'pendingSince', 'wakeChannel', 'queue', '...faults'],
  replies: ['HEALED', 'RIGHT', 'LATER'],
});

/** How many faults one script call checks. */
const callSize = 100;
/** How many faults are checked at once; the others are postponed. */
const stepSize = 1_000;

/** The outcome for confirmed faults; those in neither list were already consistent. */
export interface HealResult {
  readonly healed: readonly Disorder[];
  /** Not checked, because it would have taken too long. */
  readonly postponed: readonly Disorder[];
}

/** Heals confirmed faults; the script checks each one again. */
export class RedisHeal {
  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {}

  /** Heals what is still wrong, up to a bounded number of faults. */
  async heal(confirmed: readonly Disorder[], now: EpochMs): Promise<HealResult> {
    const healed: Disorder[] = [];
    const postponed: Disorder[] = confirmed.slice(stepSize);
    const byQueue = new Map<string, Disorder[]>();
    // A task is in its aggregation set once the set is registered again.
    const isGroup = ({ kind }: Disorder): number => Number(kind === 'group-not-listed');
    for (const disorder of confirmed.slice(0, stepSize).sort((a, b) => isGroup(b) - isGroup(a))) {
      addToGroup(byQueue, disorder.queue, disorder);
    }
    for (const [queue, disorders] of byQueue) {
      for (let start = 0; start < disorders.length; start += callSize) {
        const some = disorders.slice(start, start + callSize);
        const words = await this.#healSome({ queue, disorders: some, now });
        healed.push(...some.filter((_, at) => words[at] === 'HEALED'));
        postponed.push(...some.filter((_, at) => words[at] === 'LATER'));
      }
    }
    return { healed, postponed };
  }

  async #healSome(request: {
    readonly queue: string;
    readonly disorders: readonly Disorder[];
    readonly now: EpochMs;
  }): Promise<readonly string[]> {
    const { queue, now } = request;
    const keys = queueKeys(queue);
    const faults = await Promise.all(request.disorders.map(async (disorder) => await this.#describe(disorder)));
    const reply = await this.deps.runner.run(
      healScript,
      [
        keys.pending,
        keys.active,
        keys.lease,
        keys.scheduled,
        keys.retry,
        keys.archived,
        keys.completed,
        keys.groups,
        keys.aggregationSets,
        keys.due,
      ],
      [
        keys.taskPrefix,
        keys.groupPrefix,
        toEpochSeconds(now),
        pendingSince(now),
        globalKeys.wakeChannel,
        queue,
        ...faults.flat(),
      ],
    );
    return listReply(reply).map(textReply);
  }

  /** Returns a fault for the script, with what only the message says about the place of the task. */
  async #describe({ queue, kind, subject }: Disorder): Promise<readonly string[]> {
    const message = needsMessage.has(kind) ? await this.#messageOf(taskKey(queueKeys(queue), subject)) : undefined;
    const { group = '', completedAtSeconds = 0, retentionSeconds = 0 } = message ?? {};
    const expiresAt = completedAtSeconds > 0 ? String(completedAtSeconds + retentionSeconds) : '';
    return [kind.toUpperCase().replaceAll('-', '_'), subject, group, expiresAt];
  }

  async #messageOf(key: string): Promise<TaskMessage | undefined> {
    try {
      const stored = await this.deps.connection.send('hget', [key, 'msg']);
      const decoded = Buffer.isBuffer(stored) ? decodeTaskMessage(stored) : undefined;
      return decoded?.ok === true ? decoded.message : undefined;
    } catch (error) {
      // The stored value has another type and is not a task.
      if (error instanceof BrokerCommandError) return undefined;
      throw error;
    }
  }
}

/** Faults whose healing may need to find a place for the task. */
const needsMessage: ReadonlySet<DisorderKind> = new Set([
  'task-without-place',
  'task-in-wrong-place',
  'id-without-task',
] satisfies DisorderKind[]);
