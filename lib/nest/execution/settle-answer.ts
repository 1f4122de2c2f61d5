import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import { isThenable } from '../../model/options/user-callback.js';

/** Resolves a method's return value: for an Observable its last value, or `undefined` if it completes without one. */
export function settleAnswer(answer: unknown): unknown {
  if (isObservable(answer)) return lastOf(answer);
  return isThenable(answer) ? answer.then(ofObservable) : answer;
}

function ofObservable(value: unknown): unknown {
  return isObservable(value) ? lastOf(value) : value;
}

/** Subscribes and resolves to the last value; rejects with the error of the Observable. */
export function lastOf(observable: Observable<unknown>): Promise<unknown> {
  return lastValueFrom(observable, { defaultValue: undefined });
}
