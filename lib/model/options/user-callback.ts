/**
 * Calls a function of the user's whose answer nobody waits for. What it throws, or what its promise rejects with, goes
 * to `onFault` and no further.
 */
export function callUser(call: () => unknown, onFault: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isThenable(returned)) void returned.then(undefined, onFault);
  } catch (error) {
    onFault(error);
  }
}

/** Whether something is a promise, of another realm or another library as well. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise ||
    (((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      'then' in value &&
      typeof value.then === 'function')
  );
}

/**
 * Whether a function of the user's that must answer at once answered with a promise. What that rejects with is of no
 * interest to anybody, and must not end the process.
 */
export function isUnwantedPromise(value: unknown): value is PromiseLike<unknown> {
  if (!isThenable(value)) return false;
  void value.then(undefined, () => {});
  return true;
}
