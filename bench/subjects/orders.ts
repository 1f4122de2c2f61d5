/** What surrounds a handler in a Nest app. */
export type Extras = 'nothing' | 'guard, interceptor, filter' | 'payload' | 'request scope' | 'all';

/** What the program that measures asks of a subject's process. */
export type Order =
  | { readonly kind: 'enqueue'; readonly tasks: number; readonly callers: number; readonly bytes?: number }
  | { readonly kind: 'enqueue-many'; readonly tasks: number; readonly batch: number; readonly bytes?: number }
  /** Handles what `fill` has put in; the first `warmUp` tasks are not counted. */
  | {
      readonly kind: 'process';
      readonly tasks: number;
      readonly warmUp: number;
      readonly concurrency: number;
      /** How long each handler waits; 0 unless given. */
      readonly handlerMs?: number;
      readonly extras?: Extras;
      readonly queues?: number;
      /** Reads each payload, as a handler does. */
      readonly reads?: boolean;
    }
  /** With a program of Go, tasks come from it; else from the process itself. Answers with median and 99th percentile. */
  | { readonly kind: 'pickup'; readonly tasks: number; readonly gapMs: number; readonly goProgram: string | undefined }
  /** Enqueues and handles at once, in one process; the first `warmUp` tasks are not counted. */
  | {
      readonly kind: 'round-trip';
      readonly tasks: number;
      readonly warmUp: number;
      readonly batch: number;
      readonly concurrency: number;
    }
  | {
      readonly kind: 'fill';
      readonly tasks: number;
      readonly bytes?: number;
      /** Dealt out to so many queues; 1 unless given. */
      readonly queues?: number;
      /** The instant all of them are due, Unix milliseconds; at once unless given. */
      readonly dueAt?: number;
    }
  /** Starts workers that go on until `stop`; answers as soon as they run. */
  | {
      readonly kind: 'start';
      readonly workers: number;
      readonly concurrency: number;
      readonly handlerMs?: number;
      readonly queues?: number;
    }
  /** How many tasks the workers of `start` have handled, and the processor time of the process since, in microseconds. */
  | { readonly kind: 'progress' }
  | { readonly kind: 'stop' };

/** An order with where to do it, and its answer: the measured figures in the case's units. */
export type Request = Order & { readonly redis: string };
export type Answer = { readonly figures: readonly number[] } | { readonly error: string };
