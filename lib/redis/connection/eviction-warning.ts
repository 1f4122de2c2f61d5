import type { RedisServerInfo } from './server-info.js';

/** Warns of servers that throw keys away when their memory is full: once for each server process that is met. */
export class EvictionWarning {
  readonly #warned = new Set<string>();

  constructor(private readonly deps: { readonly place: string; readonly warn: (message: string) => void }) {}

  check({ maxmemoryPolicy, runId = '' }: RedisServerInfo): void {
    if (maxmemoryPolicy === undefined || maxmemoryPolicy === 'noeviction' || this.#warned.has(runId)) return;
    this.#warned.add(runId);
    const { place, warn } = this.deps;
    warn(
      `Redis at ${place} has maxmemory-policy ${maxmemoryPolicy}: when its memory is full it deletes tasks. ` +
        'Set it to noeviction',
    );
  }
}
