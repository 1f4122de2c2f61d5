/**
 * Something that outlives the call that created it. `start` and `stop` are idempotent, `stop` before `start` does
 * nothing, and once `stop` has resolved nothing is left: no timer, no listener, no connection.
 */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}
