const common = `
import { type TaskEvents, AsynqModule, AsynqClient, CurrentTask, Task, TaskHandler, TaskPayload, defineTask, type PayloadOf, type TaskInfo } from 'nestjs-asynq';
import { AsynqServer, TaskMux, parseDuration, type Duration, type ServerOptions, type StandardSchemaV1 } from 'nestjs-asynq/core';

const Mail = defineTask<{ to: string; at: Date }>('mail');
const Ping = defineTask<void>('ping');
declare const schema: StandardSchemaV1<{ n?: number }, { n: number }>;
const Count = defineTask('count', { schema, maxRetry: 3 });
class MailDto { to!: string; at!: Date; describe(): string { return this.to; } }
class OtherDto { from!: string; }

export class Tasks {
  @TaskHandler(Mail)
  async send(task: Task<{ to: string; at: string }>): Promise<string> { return task.payload.to; }
  @TaskHandler(Mail)
  async sent(@TaskPayload(Mail) mail: MailDto, @TaskPayload(Mail, 'at') at: string, @CurrentTask() task: Task): Promise<void> {}
  @TaskHandler(Count)
  async count({ payload }: Task<PayloadOf<typeof Count>>): Promise<number> { return payload.n + 1; }
  // @ts-expect-error a Date is text by then
  @TaskHandler(Mail)
  async late(task: Task<{ at: Date }>): Promise<void> {}
  // @ts-expect-error the definition has no such field
  @TaskHandler(Mail) async other(@TaskPayload(Mail) mail: OtherDto): Promise<void> {}
}

export const options: ServerOptions = { concurrency: 2, shutdownTimeout: '1m30s', abortGrace: parseDuration(String(process.env['GRACE'])) };
export const module = AsynqModule.forRoot({ server: options });
export const mux: TaskMux = new TaskMux().handle(Mail, (task) => task.payload.at.slice(0, 10)).handle(Count, (task) => task.payload.n.toFixed());
export const server: AsynqServer = new AsynqServer(options);
export const told = ({ task, result }: TaskEvents['completed']): unknown => [task.payload, task.headers, result];
// @ts-expect-error not a duration
export const wrong: Duration = '2 seconds';

export async function send(client: AsynqClient): Promise<TaskInfo> {
  await client.enqueue(Ping);
  await client.enqueue(Count, {});
  await client.enqueue('untyped', { anything: true }, { processIn: '250ms' });
  await client.enqueueMany([[Mail, { to: 'x', at: new Date() }], ['untyped'], [Ping]]);
  // @ts-expect-error Expected 2-3 arguments, but got 1.
  await client.enqueue(Mail);
  // @ts-expect-error the payload must fit
  await client.enqueue(Mail, { to: 1, at: new Date() });
  // @ts-expect-error what arrives is not what is given
  await client.enqueue(Mail, { to: 'x', at: '2026-01-01' });
  // @ts-expect-error what arrives is not what is given
  await client.enqueue(Count, { n: '1' });
  const info = await client.enqueue(Mail, { to: 'x', at: new Date() }, { maxRetry: undefined });
  await client.cancel(info, { outcome: 'delete' });
  return info;
}
`;

/** Uses the types of the package; with `exact` as a project with exactOptionalPropertyTypes. */
export function typesProgram({ exact }: { readonly exact: boolean }): string {
  const expectation = exact ? '// @ts-expect-error it may be undefined, and another Redis would be used\n' : '';
  return `${common}${expectation}export const unset = AsynqModule.forRoot({ redis: process.env['REDIS_URL'] });\n`;
}
