import { AsyncResource } from 'node:async_hooks';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { from, isObservable, Observable, type ObservableInput, type Subscriber, type TeardownLogic } from 'rxjs';
import { isThenable } from '../../model/options/user-callback.js';
import { lastOf } from './settle-answer.js';

/** A call with its interceptors. */
export interface InterceptedCall {
  readonly interceptors: readonly NestInterceptor[];
  readonly context: ExecutionContext;
  readonly call: () => unknown;
}

/** Runs interceptors around a call, the first one outermost; the last value counts. */
export async function runInterceptors(intercepted: InterceptedCall): Promise<unknown> {
  const answer: unknown = await enter(intercepted, 0);
  return await lastOf(streamOf(answer));
}

function enter({ interceptors, context, call }: InterceptedCall, at: number): unknown {
  const interceptor = interceptors[at];
  if (interceptor === undefined) return call();
  return interceptor.intercept(context, handlerOf({ interceptors, context, call }, at + 1));
}

/**
 * The handle that an interceptor gets to continue. Each subscription runs the rest again, so `retry` works; it runs in
 * the async context in which `handle` was called, so a store that an interceptor enters around that call is available
 * inside.
 */
function handlerOf(intercepted: InterceptedCall, at: number): CallHandler<unknown> {
  const isCall = at === intercepted.interceptors.length;
  return {
    handle() {
      const resource = new AsyncResource('asynq.interceptor');
      return new Observable((subscriber) =>
        resource.runInAsyncScope(() => {
          const answer = enter(intercepted, at);
          if (!isThenable(answer)) return deliver(answer, { subscriber, isCall });
          void later(answer, { subscriber, isCall });
          return undefined;
        }),
      );
    },
  };
}

interface Receiver {
  readonly subscriber: Subscriber<unknown>;
  /** A method may return any value, an interceptor only a stream. */
  readonly isCall: boolean;
}

function deliver(answer: unknown, { subscriber, isCall }: Receiver): TeardownLogic {
  if (!isCall || isObservable(answer)) return streamOf(answer).subscribe(subscriber);
  subscriber.next(answer);
  subscriber.complete();
  return undefined;
}

async function later(answer: PromiseLike<unknown>, receiver: Receiver): Promise<void> {
  const { subscriber } = receiver;
  try {
    const value = await answer;
    if (!subscriber.closed) subscriber.add(deliver(value, receiver));
  } catch (error) {
    subscriber.error(error);
  }
}

// An interceptor that forgets to return a stream has not run the handler: `from` refuses what it returned.
function streamOf(answer: unknown): Observable<unknown> {
  return isObservable(answer) ? answer : from(answer as ObservableInput<unknown>);
}
