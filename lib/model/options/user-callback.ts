/**
 * Calls a user's function whose return value nobody awaits. What it throws or rejects with goes to `onFault` and no
 * further.
 */
export function callUser(call: () => unknown, onFault: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isThenable(returned)) void returned.then(undefined, onFault);
  } catch (error) {
    onFault(error);
  }
}

/** Whether a value is a promise, including those of other realms and libraries. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise ||
    (((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      'then' in value &&
      typeof value.then === 'function')
  );
}

/**
 * Whether a user's function that must return synchronously returned a promise. Its rejection is ignored, so that it
 * does not end the process.
 */
export function isUnwantedPromise(value: unknown): value is PromiseLike<unknown> {
  if (!isThenable(value)) return false;
  void value.then(undefined, () => {});
  return true;
}
