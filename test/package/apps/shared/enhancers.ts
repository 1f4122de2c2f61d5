import 'reflect-metadata';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  HttpException,
  Injectable,
  Module,
  type NestInterceptor,
  UnauthorizedException,
} from '@nestjs/common';
import {
  APP_FILTER,
  APP_GUARD,
  APP_INTERCEPTOR,
  BaseExceptionFilter,
  HttpAdapterHost,
  NestFactory,
} from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { AsynqClient, AsynqModule, AsynqServer, Task, TaskHandler } from 'nestjs-asynq';
import { map } from 'rxjs';

// An application with the global enhancers of Nest's documentation, Nest's throttler and an error reporter, all for HTTP.

const queue = process.env['QUEUE'] ?? 'package';
const reported: string[] = [];

@Injectable()
class AuthGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    const [type, token] = request.headers['authorization']?.split(' ') ?? [];
    if (type !== 'Bearer' || token === undefined) throw new UnauthorizedException();
    return true;
  }
}

@Injectable()
class TransformInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const { statusCode } = context.switchToHttp().getResponse<{ statusCode: number }>();
    return next.handle().pipe(map((data: unknown) => ({ statusCode, data })));
  }
}

@Catch()
class CatchEverythingFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const context = host.switchToHttp();
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    const body = { statusCode: status, path: httpAdapter.getRequestUrl(context.getRequest()) as string };
    httpAdapter.reply(context.getResponse(), body, status);
  }
}

@Catch()
class ReportingFilter extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    reported.push(exception instanceof Error ? exception.message : String(exception));
    super.catch(exception, host);
  }
}

@Injectable()
class Tasks {
  @TaskHandler('succeeds')
  succeeds() {
    return 'done';
  }

  @TaskHandler('fails')
  fails(task: Task) {
    throw new RangeError(`failed with ${task.retried} retries`);
  }
}

const filter = process.env['FILTER'] === 'reporter' ? ReportingFilter : CatchEverythingFilter;

@Module({
  imports: [
    ThrottlerModule.forRoot([{ ttl: 60_000, limit: 1 }]),
    AsynqModule.forRoot({
      globalEnhancers: process.env['ASKED_FOR'] === 'filters' ? ['filters'] : false,
      server: { queues: { [queue]: 1 }, retryDelay: () => 1 },
      client: { defaults: { queue, maxRetry: 1 } },
    }),
  ],
  providers: [
    Tasks,
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_GUARD, useClass: ThrottlerGuard },
    { provide: APP_INTERCEPTOR, useClass: TransformInterceptor },
    { provide: APP_FILTER, useClass: filter },
  ],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const { events } = app.get(AsynqServer);
  const outcomes: string[] = [];
  const archived = new Promise<void>((resolve) => {
    events.on('retry', ({ error }) => outcomes.push(`retry ${String(error)}`));
    events.on('archived', ({ error }) => {
      outcomes.push(`archived ${String(error)}`);
      resolve();
    });
  });
  const completed = new Promise<void>((resolve) => {
    events.on('completed', ({ task }) => {
      outcomes.push(`completed ${task.type}`);
      resolve();
    });
  });
  const client = app.get(AsynqClient);
  await client.enqueue('succeeds');
  await completed;
  await client.enqueue('fails');
  await archived;
  await app.close();
  console.log(`SEEN ${JSON.stringify({ outcomes, reported })}`);
}

void main();
