import { type Duration, readDuration } from '../../lib/model/time/duration.js';

/**
 * Waits until `condition` gives something truthy and resolves with it; what it throws counts as "not yet".
 * Fails with the description and the last outcome when that takes longer than `within` (10 s).
 *
 * @example
 * await until('the task is retried', async () => (await redis.zcard(key)) === 1);
 */
export async function until<T>(
  description: string,
  condition: () => T | Promise<T>,
  options: { readonly within?: Duration } = {},
): Promise<T> {
  const limit = Date.now() + (readDuration(options.within ?? '10s') ?? 10_000);
  let last: unknown;
  for (;;) {
    try {
      const outcome = await condition();
      if (outcome) return outcome;
      last = outcome;
    } catch (error) {
      last = error;
    }
    if (Date.now() > limit) throw new Error(`Waited in vain until ${description}; last outcome: ${String(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A promise with its handles, for handlers that a test holds up or waits for. */
export function aGate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
