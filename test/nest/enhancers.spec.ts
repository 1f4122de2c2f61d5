import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { map } from 'rxjs';
import { AsynqModule, SkipRetryError, type Task, TaskHandler, taskOf, TaskPayload } from '../../lib/index.js';
import { aQueue, cleanUp, failureOf, nextEvent, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

const registered = () => AsynqModule.forRoot(options(aQueue()));

@Injectable()
class Names {
  readonly mark = '!';
}

@Injectable()
class TenantGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext) {
    const wanted = this.reflector.get<string>('tenant', context.getHandler());
    return context.getType<string>() === 'asynq' && taskOf(context).headers['tenant'] === wanted;
  }
}

@Injectable()
class Exclaim implements NestInterceptor {
  constructor(private readonly names: Names) {}

  intercept(context: ExecutionContext, next: CallHandler) {
    const where = `${context.getClass().name}.${context.getHandler().name}`;
    return next.handle().pipe(map((value) => `${where} ${String(value)}${this.names.mark}`));
  }
}

@Catch(RangeError)
class Forgive implements ExceptionFilter<RangeError> {
  catch(error: RangeError, host: ArgumentsHost) {
    return `${host.getType<string>()} forgave ${taskOf(host).type}: ${error.message}`;
  }
}

const seen: string[] = [];

@Catch()
class LookOnly implements ExceptionFilter {
  async catch(error: Error) {
    seen.push(error.message);
  }
}

@Catch()
class Replace implements ExceptionFilter {
  catch(error: Error): never {
    throw new SkipRetryError(`replaced ${error.message}`);
  }
}

@Injectable()
class Tasks {
  @TaskHandler('guarded')
  @UseGuards(TenantGuard)
  @SetMetadata('tenant', 'ann')
  guarded(task: Task) {
    return task.type;
  }

  @TaskHandler('guarded:parameters')
  @UseGuards(TenantGuard)
  @SetMetadata('tenant', 'ann')
  guardedParameters(@TaskPayload() payload: string) {
    return payload;
  }

  @TaskHandler('intercepted')
  @UseInterceptors(Exclaim)
  intercepted(@TaskPayload() payload: string) {
    return payload;
  }

  @TaskHandler('forgiven')
  @UseFilters(Forgive)
  async forgiven() {
    throw new RangeError('too much');
  }

  @TaskHandler('not:forgiven')
  @UseFilters(Forgive)
  notForgiven() {
    throw new TypeError('worse');
  }

  @TaskHandler('looked:at')
  @UseFilters(LookOnly)
  lookedAt() {
    throw new Error('looked at');
  }

  @TaskHandler('replaced')
  @UseFilters(Replace)
  replaced() {
    throw new Error('first');
  }

  @TaskHandler('decided')
  @UseFilters(Forgive, LookOnly)
  decided() {
    throw new SkipRetryError('the handler decided');
  }
}

const started = () => startApp({ imports: [registered()], providers: [Names, Tasks] });

describe('guards', () => {
  it('let a task through, knowing the handler and its metadata', async () => {
    const test = await started();
    const headers = { tenant: 'ann' };
    expect(await resultOf(test, 'guarded', undefined, { headers })).toBe('guarded');
    expect(await resultOf(test, 'guarded:parameters', 'p', { headers })).toBe('p');
  });

  it('fail a task that they refuse, and it is retried', async () => {
    const test = await started();
    expect(await failureOf(test, { type: 'guarded', event: 'retry' })).toBeInstanceOf(ForbiddenException);
  });
});

it('interceptors see the call and change the result', async () => {
  expect(await resultOf(await started(), 'intercepted', 'hi')).toBe('Tasks.intercepted hi!');
});

describe('filters', () => {
  it('turn a failure that they catch into a success when they return a value', async () => {
    expect(await resultOf(await started(), 'forgiven')).toBe('asynq forgave forgiven: too much');
  });

  it('leave a failure that they do not catch unchanged', async () => {
    expect(await failureOf(await started(), { type: 'not:forgiven', event: 'retry' })).toBeInstanceOf(TypeError);
  });

  it('leave a failure unchanged when they return nothing, synchronously or later', async () => {
    seen.length = 0;
    expect((await failureOf(await started(), { type: 'looked:at', event: 'retry' })).message).toBe('looked at');
    expect(seen).toEqual(['looked at']);
  });

  it('may decide about the task', async () => {
    const test = await started();
    const archived = nextEvent(test, { event: 'archived', type: 'replaced' });
    await test.client.enqueue('replaced', undefined, { maxRetry: 5 });
    expect((await archived).error).toMatchObject({ message: 'replaced first' });
  });

  it('are not asked about what the handler decided', async () => {
    seen.length = 0;
    const test = await started();
    const archived = nextEvent(test, { event: 'archived', type: 'decided' });
    await test.client.enqueue('decided', undefined, { maxRetry: 5 });
    expect((await archived).error).toMatchObject({ message: 'the handler decided' });
    expect(seen).toEqual([]);
  });
});
