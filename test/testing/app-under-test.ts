import { Injectable, Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AsynqClient, AsynqModule, type AsynqModuleOptions, type Task, TaskHandler } from '../../lib/index.js';
import { AsynqTestingModule, type AsynqTestingOptions, AsynqTestKit } from '../../lib/testing/index.js';

/** An application under test, initialized. */
export interface AppUnderTest {
  readonly kit: AsynqTestKit;
  readonly client: AsynqClient;
  readonly module: TestingModule;
  readonly close: () => Promise<void>;
}

const open: TestingModule[] = [];

/** An application with these providers and the kit beside it; {@link closeApps} closes it. */
export async function appWith(
  providers: readonly Type[],
  given: {
    readonly options?: AsynqModuleOptions;
    readonly testing?: AsynqTestingOptions;
    readonly imports?: ModuleMetadata['imports'];
  } = {},
): Promise<AppUnderTest> {
  @Module({
    imports: [AsynqModule.forRoot({ redis: 'redis://nowhere.invalid:1', ...given.options }), ...(given.imports ?? [])],
    providers: [...providers],
  })
  class AppModule {}

  const testing = given.testing === undefined ? AsynqTestingModule : AsynqTestingModule.forRoot(given.testing);
  const module = await Test.createTestingModule({ imports: [AppModule, testing] }).compile();
  open.push(module);
  await module.init();
  return { kit: module.get(AsynqTestKit), client: module.get(AsynqClient), module, close: () => module.close() };
}

/** Closes every application that {@link appWith} made. */
export async function closeApps(): Promise<void> {
  for (const module of open.splice(0)) await module.close();
}

/** Handlers that do what their payload says, and note what they have seen. */
@Injectable()
export class Scripted {
  readonly seen: string[] = [];

  @TaskHandler('note')
  note(task: Task<{ text?: string } | undefined>): string {
    this.seen.push(task.payload?.text ?? task.type);
    return 'noted';
  }

  @TaskHandler('fail')
  fail(): void {
    this.seen.push('fail');
    throw new Error('no such luck');
  }

  @TaskHandler('wait')
  async wait(task: Task): Promise<void> {
    this.seen.push('wait');
    await new Promise((_resolve, reject) => {
      task.signal.addEventListener('abort', () => reject(task.signal.reason));
    });
  }
}
