/** The state of a task, as Redis stores it in the task hash (docs/protocol/task-states.md). */
export type TaskState = 'active' | 'pending' | 'scheduled' | 'retry' | 'archived' | 'completed' | 'aggregating';

/** Every state, in Asynq's order. */
export const taskStates: readonly TaskState[] = [
  'active',
  'pending',
  'scheduled',
  'retry',
  'archived',
  'completed',
  'aggregating',
];
