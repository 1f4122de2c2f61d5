import 'reflect-metadata';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Global,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, REQUEST } from '@nestjs/core';
import {
  AsynqClient,
  AsynqModule,
  CurrentTask,
  defineTask,
  OnTaskEvent,
  parseDuration,
  Task,
  type TaskEvents,
  TaskHandler,
  TaskPayload,
} from 'nestjs-asynq';
import { map } from 'rxjs';

// One program for every version of Nest: it enqueues, handles, closes, and prints what it saw.

const queue = process.env['QUEUE'] ?? 'package';
const Greet = defineTask<{ name: string }>('greet', { queue });
const seen: Record<string, unknown> = {};
let bootstrapped = 0;

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
const holding = gate();
const closing = gate();
const finished = gate();

@Injectable()
class Resource implements OnApplicationBootstrap, OnModuleDestroy {
  isOpen = true;

  async onApplicationBootstrap(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    bootstrapped += 1;
  }

  onModuleDestroy(): void {
    this.isOpen = false;
  }
}

@Global()
@Module({ providers: [Resource], exports: [Resource] })
class ResourceModule {}

// Request-scoped and global: it is made for every task, since the module asks for global guards.
@Injectable({ scope: Scope.REQUEST })
class CountingGuard implements CanActivate {
  constructor(private readonly resource: Resource) {}

  canActivate(context: ExecutionContext): boolean {
    seen['guardedType'] = context.getType();
    return this.resource.isOpen;
  }
}

@Injectable()
class Exclaim implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((value: unknown) => `${String(value)}!`));
  }
}

@Catch(RangeError)
class Forgive implements ExceptionFilter<RangeError> {
  catch(error: RangeError, host: ArgumentsHost) {
    return `${host.getType<string>()} forgave ${error.message}`;
  }
}

@Injectable()
class GreetTasks {
  constructor(private readonly resource: Resource) {}

  @TaskHandler(Greet)
  greet(task: Task<{ name: string }>) {
    seen['bootstrapped'] = bootstrapped;
    return `hello ${task.payload.name}`;
  }

  @TaskHandler('count')
  @UseInterceptors(Exclaim)
  count(@TaskPayload('n', ParseIntPipe) n: number, @CurrentTask() task: Task) {
    return `${n + 1} ${task.type}`;
  }

  @TaskHandler('forgiven')
  @UseFilters(Forgive)
  forgiven() {
    throw new RangeError('too much');
  }

  @TaskHandler('hold')
  async hold() {
    holding.open();
    await closing.opened;
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen['resourceIsOpen'] = this.resource.isOpen;
  }

  @TaskHandler('hang')
  async hang() {
    console.log('HANGING');
    await new Promise(() => {});
  }

  @OnTaskEvent('completed')
  completed({ task }: TaskEvents['completed']) {
    if (task.type === 'forgiven') finished.open();
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedTasks {
  constructor(@Inject(REQUEST) private readonly task: Task) {}

  @TaskHandler('scoped')
  scoped(task: Task) {
    seen['requestIsTheTask'] = this.task === task;
  }
}

@Module({
  imports: [
    ResourceModule,
    AsynqModule.forRoot({
      globalEnhancers: ['guards'],
      server: {
        concurrency: 1,
        queues: { [queue]: 1 },
        shutdownTimeout: parseDuration(process.env['SHUTDOWN_TIMEOUT'] ?? '5s'),
      },
    }),
  ],
  providers: [GreetTasks, ScopedTasks, { provide: APP_GUARD, useClass: CountingGuard }],
})
class AppModule implements OnApplicationBootstrap {
  async onApplicationBootstrap(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    bootstrapped += 1;
  }
}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn', 'fatal'] });
  app.enableShutdownHooks();
  const asynq = app.get(AsynqClient);
  if (process.env['MODE'] === 'hang') {
    await asynq.enqueue('hang', undefined, { queue, maxRetry: 0 });
    return;
  }
  const options = { queue, maxRetry: 0, retention: '1m' } as const;
  const greeted = await asynq.enqueue(Greet, { name: 'Ada' }, { retention: '1m' });
  const counted = await asynq.enqueue('count', { n: '41' }, options);
  await asynq.enqueue('scoped', undefined, options);
  const forgiven = await asynq.enqueue('forgiven', undefined, options);
  seen['ids'] = { greeted: greeted.id, counted: counted.id, forgiven: forgiven.id };
  await finished.opened;
  await asynq.enqueue('hold', undefined, options);
  await holding.opened;
  const closed = app.close();
  closing.open();
  await closed;
  console.log(`SEEN ${JSON.stringify(seen)}`);
}

void main();
