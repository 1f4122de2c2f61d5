import type { EpochMs } from '../model/time/duration.js';

/** A value and the instant from which on it is not there any more. */
export interface Expiring<V> {
  readonly value: V;
  readonly expiresAt: EpochMs;
}

/**
 * Values that vanish by themselves, as keys with a time to live do in Redis. No timer: what is over is not found, and is
 * thrown away when the map has grown to twice of what was left the last time.
 */
export class ExpiringMap<V> {
  readonly #values = new Map<string, Expiring<V>>();
  #sweepAt = 64;

  /** What is there at an instant. */
  get(key: string, at: EpochMs): Expiring<V> | undefined {
    const found = this.#values.get(key);
    if (found === undefined || found.expiresAt > at) return found;
    this.#values.delete(key);
    return undefined;
  }

  set(key: string, value: Expiring<V>): void {
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  /** Everything that is there at an instant. */
  valuesAt(at: EpochMs): readonly V[] {
    return [...this.#values.values()].filter(({ expiresAt }) => expiresAt > at).map(({ value }) => value);
  }

  /** What was put under the key and not taken away, be it over or not. */
  peek(key: string): V | undefined {
    return this.#values.get(key)?.value;
  }

  clear(): void {
    this.#values.clear();
  }

  /** Throws away what is over, now and then: called by who adds. */
  sweep(at: EpochMs): void {
    if (this.#values.size < this.#sweepAt) return;
    for (const [key, { expiresAt }] of this.#values) if (expiresAt <= at) this.#values.delete(key);
    this.#sweepAt = Math.max(64, 2 * this.#values.size);
  }
}
