import { AsynqError } from './asynq-error.js';

// Errors are mostly made where a reply arrives or a timer fires. Their own stack names nobody who called the library, but
// V8 follows the chain of promises from a function that is running to those who wait for it. So the stack is taken
// again there, which costs nothing unless a call fails.

/** The lines of the stack from here on, those of waiting functions included. */
export function callerFrames(): string {
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, callerFrames);
  const { stack = '' } = here;
  return stack.slice(stack.indexOf('\n    at '));
}

/**
 * The same error with `frames` as its stack. A copy, since one failed command may be the failure of many callers; what is
 * not an error of ours is handed back as it is.
 */
export function forCaller<E>(error: E, frames = callerFrames()): E {
  if (!(error instanceof AsynqError)) return error;
  const { stack: _, ...fields } = Object.getOwnPropertyDescriptors(error);
  // An error by birth, so that everything recognises it as one; the constructors of our classes take other arguments.
  const copy = Reflect.construct(Error, [error.message], error.constructor as typeof Error) as AsynqError & E;
  Object.defineProperties(copy, fields);
  copy.stack = `${error.name}: ${error.message}${frames}`;
  return copy;
}

/** Settles as `call` does; what that rejects with shows who waits. */
export async function showCaller<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw forCaller(error);
  }
}

/** Rejects with an error that shows who waits for this very promise, or for one that was resolved with it. */
export async function rejectForCaller(reason: unknown): Promise<never> {
  // The promise that is resolved with this one follows it two turns later.
  await Promise.resolve();
  await Promise.resolve();
  throw forCaller(reason);
}
