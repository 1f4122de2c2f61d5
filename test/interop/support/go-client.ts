import { GoProgram } from './go-program.js';
import { base64, encodeGoTask, encodeOption, type GoOptions, type GoTask, type GoTaskInfo } from './go-task.js';
import type { WireFields } from './wire-fields.js';

interface EnqueueAnswer {
  readonly info: GoTaskInfo | null;
  readonly refusal: '' | 'duplicate' | 'conflict' | 'other';
  readonly error: string;
}

/** Go's client. */
export class GoClient {
  private constructor(private readonly program: GoProgram<EnqueueAnswer>) {}

  static async start(url?: string): Promise<GoClient> {
    return new GoClient(await GoProgram.start('enqueue', url === undefined ? {} : { url }));
  }

  /** Enqueues and gives Go's view of the task. @throws Error when Go refuses it. */
  async enqueue(task: GoTask): Promise<GoTaskInfo> {
    const { info, error } = await this.tryEnqueue(task);
    if (info === null) throw new Error(error);
    return info;
  }

  async tryEnqueue(task: GoTask): Promise<EnqueueAnswer> {
    return await this.program.ask(encodeGoTask(task));
  }

  async close(): Promise<void> {
    await this.program.close();
  }
}

export type GoState = 'active' | 'pending' | 'scheduled' | 'retry' | 'archived' | 'completed' | 'aggregating';

interface InspectAnswer {
  readonly value: unknown;
  readonly refusal: '' | 'queue-not-found' | 'queue-not-empty' | 'task-not-found' | 'other';
  readonly error: string;
}

export interface GoQueueInfo extends Readonly<Record<Capitalize<GoState> | 'Processed' | 'Failed', number>> {
  readonly Size: number;
  readonly Groups: number;
  readonly ProcessedTotal: number;
  readonly FailedTotal: number;
  readonly Paused: boolean;
}

export interface GoServerInfo {
  readonly ID: string;
  readonly Host: string;
  readonly PID: number;
  readonly Concurrency: number;
  readonly Queues: Readonly<Record<string, number>>;
  readonly StrictPriority: boolean;
  readonly Started: string;
  readonly Status: string;
  readonly ActiveWorkers: readonly {
    readonly TaskID: string;
    readonly TaskType: string;
    readonly TaskPayload: string;
    readonly Queue: string;
    readonly Started: string;
    readonly Deadline: string;
  }[];
}

/** Go's inspector: what the CLI and the dashboards of Asynq are made of. */
export class GoInspector {
  private constructor(private readonly program: GoProgram<InspectAnswer>) {}

  static async start(url?: string): Promise<GoInspector> {
    return new GoInspector(await GoProgram.start('inspect', url === undefined ? {} : { url }));
  }

  /** All tasks of a queue in a state. */
  async list(queue: string, state: GoState): Promise<readonly GoTaskInfo[]> {
    return (await this.ask({ op: 'list', queue, state })) as GoTaskInfo[];
  }

  async listGroup(queue: string, group: string): Promise<readonly GoTaskInfo[]> {
    return (await this.ask({ op: 'list', queue, group, state: 'aggregating' })) as GoTaskInfo[];
  }

  async info(queue: string, id: string): Promise<GoTaskInfo> {
    return (await this.ask({ op: 'info', queue, id })) as GoTaskInfo;
  }

  async queue(queue: string): Promise<GoQueueInfo> {
    return (await this.ask({ op: 'queue', queue })) as GoQueueInfo;
  }

  async servers(): Promise<readonly GoServerInfo[]> {
    // Go has no list at all where there is nothing to list.
    return ((await this.ask({ op: 'servers' })) as GoServerInfo[] | null) ?? [];
  }

  async updatePayload(task: { readonly queue: string; readonly id: string }, payload: string): Promise<void> {
    await this.ask({ op: 'update-payload', ...task, payload: base64(payload) });
  }

  /** Any question of test/interop/go/inspect.go. @throws Error when Go refuses. */
  async ask(question: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { value, error, refusal } = await this.tryAsk(question);
    if (refusal !== '') throw new Error(error);
    return value;
  }

  async tryAsk(question: Readonly<Record<string, unknown>>): Promise<InspectAnswer> {
    return await this.program.ask(question);
  }

  async close(): Promise<void> {
    await this.program.close();
  }
}

interface CodecAnswer {
  readonly hex: string;
  readonly fields: WireFields;
  readonly text: string;
  readonly error: string;
}

/** Go's own message types. */
export class GoCodec {
  private constructor(private readonly program: GoProgram<CodecAnswer>) {}

  static async start(): Promise<GoCodec> {
    return new GoCodec(await GoProgram.start('codec'));
  }

  async encode(message: string, fields: WireFields): Promise<CodecAnswer> {
    return await this.program.ask({ message, fields });
  }

  /** An option as Go writes it for tools. */
  async optionText(kind: keyof GoOptions, value: string | number): Promise<string> {
    return (await this.program.ask({ option: encodeOption(kind, value) })).text;
  }

  /** Decodes, and encodes again what was understood. */
  async decode(message: string, bytes: Uint8Array): Promise<CodecAnswer> {
    return await this.program.ask({ message, hex: Buffer.from(bytes).toString('hex') });
  }

  async close(): Promise<void> {
    await this.program.close();
  }
}
