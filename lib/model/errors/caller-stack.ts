import { AsynqError } from './asynq-error.js';

// Most errors are created where a reply arrives or a timer fires. Their own stack does not show who called the library,
// but V8 follows the chain of promises from a running function to those that await it. So the stack is captured again
// there, which costs nothing unless a call fails.

/** Returns the stack frames from here on, including those of awaiting functions. */
export function callerFrames(): string {
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, callerFrames);
  const { stack = '' } = here;
  return stack.slice(stack.indexOf('\n    at '));
}

/**
 * Returns a copy of an error with `frames` as its stack. It is a copy because one failed command may fail many callers;
 * errors of other classes are returned unchanged.
 */
export function forCaller<E>(error: E, frames = callerFrames()): E {
  if (!(error instanceof AsynqError)) return error;
  const { stack: _, ...fields } = Object.getOwnPropertyDescriptors(error);
  // Created as a real Error, so that everything recognizes it; the constructors of our classes take other arguments.
  const copy = Reflect.construct(Error, [error.message], error.constructor as typeof Error) as AsynqError & E;
  Object.defineProperties(copy, fields);
  copy.stack = `${error.name}: ${error.message}${frames}`;
  return copy;
}

/** Settles like `call`; the stack of a rejection shows who awaits it. */
export async function showCaller<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw forCaller(error);
  }
}

/** Rejects with an error whose stack shows who awaits this very promise, or one that was resolved with it. */
export async function rejectForCaller(reason: unknown): Promise<never> {
  // A promise that is resolved with this one follows it two microtask turns later.
  await Promise.resolve();
  await Promise.resolve();
  throw forCaller(reason);
}
