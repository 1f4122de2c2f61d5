/** What the program that measures asks of a subject's process. */
export type Order =
  | { readonly kind: 'enqueue'; readonly tasks: number; readonly callers: number }
  | { readonly kind: 'enqueue-many'; readonly tasks: number; readonly batch: number }
  /** Handles what `fill` has put in; the first `warmUp` tasks are not counted. */
  | { readonly kind: 'process'; readonly tasks: number; readonly warmUp: number; readonly concurrency: number }
  /** With a program of Go, tasks come from it; else from the process itself. */
  | { readonly kind: 'pickup'; readonly tasks: number; readonly gapMs: number; readonly goProgram: string | undefined }
  /** Enqueues and handles at once, in one process; the first `warmUp` tasks are not counted. */
  | {
      readonly kind: 'round-trip';
      readonly tasks: number;
      readonly warmUp: number;
      readonly batch: number;
      readonly concurrency: number;
    }
  | { readonly kind: 'fill'; readonly tasks: number };

/** An order with where to do it, and its answer: the measured figure in the case's unit. */
export type Request = Order & { readonly redis: string };
export type Answer = { readonly figure: number } | { readonly error: string };
