/** Does something for every queue, all at once; one that fails does not keep the others from it. @throws the first fault. */
export async function forEachQueue(queues: readonly string[], run: (queue: string) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(queues.map(run));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
