import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  Module,
  type NestInterceptor,
  Scope,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { map } from 'rxjs';
import { type AsynqClient, AsynqModule, getClientToken, type Task, TaskHandler, taskOf } from '../../lib/index.js';
import { aQueue, cleanUp, failureOf, nextEvent, options, resultOf, startApp, startModule } from './support.js';

afterEach(cleanUp);

@Injectable()
class Names {
  readonly mark = '!';
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

describe('enhancers for the whole application', () => {
  const registered = () => AsynqModule.forRoot(options(aQueue(), { globalEnhancers: true }));

  @Injectable()
  class Bare {
    @TaskHandler('bare')
    bare(task: Task) {
      if (task.payload === 'throw') throw new RangeError('thrown');
      return 'bare';
    }
  }

  /** As applications have them: written for HTTP, each fails when it meets a task. */
  const forHttp = (scope: Scope) => {
    @Injectable({ scope })
    class HeaderGuard implements CanActivate {
      canActivate(context: ExecutionContext) {
        const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
        return request.headers['authorization']?.startsWith('Bearer ') === true;
      }
    }
    @Injectable({ scope })
    class StatusInterceptor implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler) {
        const { statusCode } = context.switchToHttp().getResponse<{ statusCode: number }>();
        return next.handle().pipe(map((data: unknown) => ({ statusCode, data })));
      }
    }
    @Catch()
    class EverythingFilter implements ExceptionFilter {
      catch(_error: unknown, host: ArgumentsHost) {
        return host.switchToHttp().getResponse<{ status(code: number): unknown }>().status(500);
      }
    }
    return [
      { provide: APP_GUARD, useClass: HeaderGuard, scope },
      { provide: APP_INTERCEPTOR, useClass: StatusInterceptor, scope },
      { provide: APP_FILTER, useClass: EverythingFilter, scope },
    ];
  };

  it.each([
    ['for the whole application', Scope.DEFAULT],
    ['request-scoped', Scope.REQUEST],
  ])('do not reach tasks unless they are asked for: %s', async (_what, scope) => {
    const imports = [AsynqModule.forRoot(options(aQueue()))];
    const test = await startApp({ imports, providers: [Bare, ...forHttp(scope)] });
    expect(await resultOf(test, 'bare')).toBe('bare');
    const error = await failureOf(test, { type: 'bare', payload: 'throw', event: 'retry' });
    expect(error).toEqual(new RangeError('thrown'));
    expect(test.log.ofAsynq().filter((line) => line.includes('exception filter'))).toEqual([]);
  });

  it('apply by kind, and the start says which do', async () => {
    const imports = [AsynqModule.forRoot(options(aQueue(), { globalEnhancers: ['interceptors'] }))];
    const providers = [
      Names,
      Bare,
      { provide: APP_INTERCEPTOR, useClass: Exclaim },
      ...forHttp(Scope.DEFAULT).slice(0, 1),
    ];
    const test = await startApp({ imports, providers });
    expect(await resultOf(test, 'bare')).toBe('Bare.bare bare!');
    expect(test.log.ofAsynq()).toContain(
      "Of the application's global enhancers, 1 interceptor applies to handlers; 1 guard does not (option globalEnhancers)",
    );
  });

  it('apply to each instance as it says', async () => {
    const [plain, audited] = [aQueue(), aQueue('audited')];
    @Injectable()
    class Both extends Bare {
      @TaskHandler('bare', { instance: 'audited' })
      audited() {
        return 'audited';
      }
    }
    const imports = [
      AsynqModule.forRoot(options(plain)),
      AsynqModule.forRoot({ ...options(audited, { globalEnhancers: true }), name: 'audited' }),
    ];
    const test = await startApp({
      imports,
      providers: [Both, { provide: APP_GUARD, useValue: { canActivate: () => false } }],
    });
    expect(await resultOf(test, 'bare')).toBe('bare');
    const archived = nextEvent(test, { event: 'archived', instance: 'audited' });
    await test.app.get<AsynqClient>(getClientToken('audited')).enqueue('bare');
    expect((await archived).error).toBeInstanceOf(ForbiddenException);
  });

  it('apply when they are given by their tokens, with what they inject', async () => {
    const providers = [
      Names,
      Bare,
      { provide: APP_INTERCEPTOR, useClass: Exclaim },
      { provide: APP_FILTER, useClass: Forgive },
      {
        provide: APP_GUARD,
        useValue: { canActivate: (context: ExecutionContext) => taskOf(context).payload !== 'no' },
      },
    ];
    const test = await startApp({ imports: [registered()], providers });
    expect(await resultOf(test, 'bare')).toBe('Bare.bare bare!');
    expect(await resultOf(test, 'bare', 'throw')).toBe('asynq forgave bare: thrown');
    expect(await failureOf(test, { type: 'bare', payload: 'no' })).toBeInstanceOf(ForbiddenException);
  });

  it('apply when they are given to the application', async () => {
    @Module({ imports: [registered()], providers: [Bare] })
    class AppModule {}
    const test = await startModule(AppModule, (app) => {
      app.useGlobalInterceptors(new Exclaim(new Names()));
    });
    expect(await resultOf(test, 'bare')).toBe('Bare.bare bare!');
  });

  it('are created for every task when they are request-scoped', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class ScopedGuard implements CanActivate {
      readonly serial = ++made;
      constructor(private readonly names: Names) {}
      canActivate() {
        return this.names.mark === '!' && this.serial < 3;
      }
    }
    const providers = [Names, Bare, { provide: APP_GUARD, useClass: ScopedGuard }];
    const test = await startApp({ imports: [registered()], providers });
    expect(await resultOf(test, 'bare')).toBe('bare');
    expect(await resultOf(test, 'bare')).toBe('bare');
    expect(await failureOf(test, { type: 'bare' })).toBeInstanceOf(ForbiddenException);
    expect(made).toBe(3);
  });
});
