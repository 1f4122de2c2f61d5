import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  Scope,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
} from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { Task, TaskHandler, TaskPayload } from 'nestjs-asynq';
import type { Observable } from 'rxjs';
import type { Extras } from './orders.js';
import { taskType, type WorkerOptions } from './subject.js';

type OnTask = WorkerOptions['onTask'];

/** Token of what a handler calls for each task. */
export const onTaskToken = 'ON_TASK';

class Payload {
  @IsInt()
  userId!: number;

  @IsString()
  template!: string;

  @IsString()
  text!: string;
}

@Injectable()
class AllowAll implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class PassOn implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Catch()
class Rethrow implements ExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost): never {
    throw error;
  }
}

@Injectable()
class Bare {
  constructor(@Inject(onTaskToken) private readonly onTask: OnTask) {}

  @TaskHandler(taskType)
  async run(task: Task): Promise<void> {
    await this.onTask(() => task.payload);
  }
}

@Injectable()
@UseGuards(AllowAll)
@UseInterceptors(PassOn)
@UseFilters(Rethrow)
class Guarded {
  constructor(@Inject(onTaskToken) private readonly onTask: OnTask) {}

  @TaskHandler(taskType)
  async run(task: Task): Promise<void> {
    await this.onTask(() => task.payload);
  }
}

@Injectable()
class Validated {
  constructor(@Inject(onTaskToken) private readonly onTask: OnTask) {}

  @TaskHandler(taskType)
  async run(@TaskPayload(new ValidationPipe()) payload: Payload): Promise<void> {
    await this.onTask(() => payload);
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerTask {
  constructor(@Inject(onTaskToken) private readonly onTask: OnTask) {}

  @TaskHandler(taskType)
  async run(task: Task): Promise<void> {
    await this.onTask(() => task.payload);
  }
}

@Injectable({ scope: Scope.REQUEST })
@UseGuards(AllowAll)
@UseInterceptors(PassOn)
@UseFilters(Rethrow)
class Everything {
  constructor(@Inject(onTaskToken) private readonly onTask: OnTask) {}

  @TaskHandler(taskType)
  async run(@TaskPayload(new ValidationPipe()) payload: Payload): Promise<void> {
    await this.onTask(() => payload);
  }
}

/** The provider whose handler has these extras. */
export function providerWith(extras: Extras): Type {
  switch (extras) {
    case 'nothing':
      return Bare;
    case 'guard, interceptor, filter':
      return Guarded;
    case 'payload':
      return Validated;
    case 'request scope':
      return PerTask;
    case 'all':
      return Everything;
  }
}
