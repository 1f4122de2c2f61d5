import type { RedisServerInfo } from './server-info.js';

/** Warns about servers that evict keys when their memory is full: once per server process. */
export class EvictionWarning {
  readonly #warned = new Set<string>();

  constructor(private readonly deps: { readonly place: string; readonly warn: (message: string) => void }) {}

  check({ maxmemoryPolicy, runId = '' }: RedisServerInfo): void {
    if (maxmemoryPolicy === undefined || maxmemoryPolicy === 'noeviction' || this.#warned.has(runId)) return;
    this.#warned.add(runId);
    const { place, warn } = this.deps;
    warn(
      `Redis at ${place} has maxmemory-policy ${maxmemoryPolicy}: it deletes tasks when its memory is full. ` +
        'Set it to noeviction',
    );
  }
}
