import { isObservable, type Observable } from 'rxjs';

/** Whether something has to be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

/** What a method's answer comes to: of an Observable the last value, or nothing when it completes without one. */
export function outcomeOf(answer: unknown): unknown {
  if (isObservable(answer)) return lastOf(answer);
  return isThenable(answer) ? answer.then(ofObservable) : answer;
}

function ofObservable(value: unknown): unknown {
  return isObservable(value) ? lastOf(value) : value;
}

/** Subscribes; rejects with what the Observable fails with. */
export function lastOf(observable: Observable<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let last: unknown;
    observable.subscribe({ next: (value) => (last = value), error: reject, complete: () => resolve(last) });
  });
}
