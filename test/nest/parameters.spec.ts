import {
  BadRequestException,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  Module,
  ParseIntPipe,
  type PipeTransform,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsDate, IsEmail, IsInt, IsString, Min } from 'class-validator';
import {
  AsynqModule,
  CurrentTask,
  defineTask,
  InvalidPayloadError,
  type Task,
  TaskHandler,
  TaskHeaders,
  taskOf,
  TaskPayload,
  TaskSignal,
} from '../../lib/index.js';
import { aQueue, cleanUp, failureOf, nextEvent, options, resultOf, startApp, startModule } from './support.js';

afterEach(cleanUp);

const registered = () => AsynqModule.forRoot(options(aQueue()));

class SendEmailDto {
  @IsEmail()
  to!: string;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  copies!: number;
}

const Order = defineTask<{ id: string; at: Date }>('order');

class OrderDto {
  @IsString()
  id!: string;

  @Type(() => Date)
  @IsDate()
  at!: Date;
}

@Injectable()
class BackwardsPipe implements PipeTransform<string, string> {
  transform(value: string) {
    return value.split('').toReversed().join('');
  }
}

const Tenant = createParamDecorator(
  (fallback: string, context: ExecutionContext) => taskOf(context).headers['tenant'] ?? fallback,
);

@Injectable()
class Parameters {
  @TaskHandler('dto')
  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  dto(@TaskPayload() mail: SendEmailDto, @CurrentTask() task: Task) {
    return { isDto: mail instanceof SendEmailDto, mail, type: task.type };
  }

  @TaskHandler('fields')
  fields(@TaskPayload('id', ParseIntPipe) id: number, @TaskPayload('name', BackwardsPipe) name: string) {
    return { id, name };
  }

  @TaskHandler(Order)
  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  order(
    @TaskPayload(Order) order: OrderDto,
    @TaskPayload(Order, 'at') at: string,
    @TaskPayload(Order, 'id', ParseIntPipe) id: number,
  ) {
    return { isDto: order instanceof OrderDto, isDate: order.at instanceof Date, at, id };
  }

  @TaskHandler('others')
  others(
    @TaskHeaders() headers: Readonly<Record<string, string>>,
    @TaskHeaders('tenant') tenant: string,
    @TaskHeaders('absent') absent: string | undefined,
    @TaskSignal() signal: AbortSignal,
  ) {
    return { headers, tenant, absent: absent === undefined, signal: signal instanceof AbortSignal };
  }

  @TaskHandler('own')
  own(@Tenant('fallback') tenant: string) {
    return tenant;
  }

  @TaskHandler('throws:400')
  throwsBadRequest(@TaskPayload() _payload: unknown) {
    throw new BadRequestException('the remote side said 400');
  }

  @TaskHandler('lookup')
  lookup(@TaskPayload({ transform: () => Promise.reject(new Error('no connection')) }) _row: unknown) {}
}

const started = () => startApp({ imports: [registered()], providers: [Parameters, BackwardsPipe] });

describe('@TaskPayload', () => {
  it('passes the payload through a ValidationPipe as the class of the parameter', async () => {
    const result = await resultOf(await started(), 'dto', { to: 'a@b.co', copies: '2', extra: true });
    expect(result).toEqual({ isDto: true, mail: { to: 'a@b.co', copies: 2 }, type: 'dto' });
  });

  it('passes fields of the payload through pipes of their own', async () => {
    expect(await resultOf(await started(), 'fields', { id: '42', name: 'abc' })).toEqual({ id: 42, name: 'cba' });
  });

  it('passes the payload of the task whose definition it names', async () => {
    const at = '2030-01-01T00:00:00.000Z';
    const result = await resultOf(await started(), Order, { id: '42', at: new Date(at) });
    expect(result).toEqual({ isDto: true, isDate: true, at, id: 42 });
  });

  it('archives a payload that a pipe refuses at once, since no retry could help', async () => {
    const test = await started();
    const archived = nextEvent(test, { event: 'archived', type: 'dto' });
    await test.client.enqueue('dto', { to: 'nobody', copies: 0 }, { maxRetry: 5 });
    const { error, task } = await archived;
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(task).toMatchObject({ maxRetry: 5 });
    expect(error).toMatchObject({
      message: 'the payload is not valid: to must be an email; copies must not be less than 1',
      issues: [{ message: 'to must be an email' }, { message: 'copies must not be less than 1' }],
      cause: expect.any(BadRequestException),
    });
  });

  it('archives a payload that does not decode', async () => {
    const test = await started();
    const archived = nextEvent(test, { event: 'archived', type: 'fields' });
    await test.client.enqueue('fields', Buffer.from('{'), { maxRetry: 5 });
    expect((await archived).error).toBeInstanceOf(InvalidPayloadError);
  });

  it('retries what a pipe failed with for another reason, and what the method itself threw', async () => {
    const test = await started();
    expect((await failureOf(test, { type: 'lookup', event: 'retry' })).message).toBe('no connection');
    expect(await failureOf(test, { type: 'throws:400', event: 'retry' })).toBeInstanceOf(BadRequestException);
  });

  it('works with a ValidationPipe for the whole application', async () => {
    @Injectable()
    class Plain {
      @TaskHandler('plain')
      plain(@TaskPayload() mail: SendEmailDto) {
        return mail.copies;
      }
    }
    @Module({ imports: [registered()], providers: [Plain] })
    class AppModule {}
    const test = await startModule(AppModule, (app) => app.useGlobalPipes(new ValidationPipe({ transform: true })));
    expect(await resultOf(test, 'plain', { to: 'a@b.co', copies: '3' })).toBe(3);
    expect(await failureOf(test, { type: 'plain', payload: {} })).toBeInstanceOf(InvalidPayloadError);
  });
});

it('@TaskHeaders and @TaskSignal pass what they say', async () => {
  expect(await resultOf(await started(), 'others', undefined, { headers: { tenant: 'ann' } })).toEqual({
    headers: { tenant: 'ann' },
    tenant: 'ann',
    absent: true,
    signal: true,
  });
});

it("the application's parameter decorators find the task in the context", async () => {
  const test = await started();
  expect(await resultOf(test, 'own', undefined, { headers: { tenant: 'ann' } })).toBe('ann');
  expect(await resultOf(test, 'own')).toBe('fallback');
});
