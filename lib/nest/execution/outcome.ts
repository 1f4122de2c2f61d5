import { isObservable, type Observable } from 'rxjs';

/** Whether a value must be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

/** Resolves a method's return value: for an Observable its last value, or `undefined` if it completes without one. */
export function outcomeOf(answer: unknown): unknown {
  if (isObservable(answer)) return lastOf(answer);
  return isThenable(answer) ? answer.then(ofObservable) : answer;
}

function ofObservable(value: unknown): unknown {
  return isObservable(value) ? lastOf(value) : value;
}

/** Subscribes and resolves to the last value; rejects with the error of the Observable. */
export function lastOf(observable: Observable<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let last: unknown;
    observable.subscribe({ next: (value) => (last = value), error: reject, complete: () => resolve(last) });
  });
}
