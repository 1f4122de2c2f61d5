import type { EpochMs } from '../model/time/duration.js';

/** A value and the instant at which it expires. */
export interface Expiring<V> {
  readonly value: V;
  readonly expiresAt: EpochMs;
}

/**
 * Values that expire, like keys with a time to live in Redis. It needs no timer: expired values are not found, and are
 * removed when the map has grown to twice the size it had after the last removal.
 */
export class ExpiringMap<V> {
  readonly #values = new Map<string, Expiring<V>>();
  #sweepAt = 64;

  /** Returns the value of a key at an instant, unless it has expired. */
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

  /** Returns all values that have not expired at an instant. */
  valuesAt(at: EpochMs): readonly V[] {
    return [...this.#values.values()].filter(({ expiresAt }) => expiresAt > at).map(({ value }) => value);
  }

  /** Returns the value of a key, whether or not it has expired. */
  peek(key: string): V | undefined {
    return this.#values.get(key)?.value;
  }

  clear(): void {
    this.#values.clear();
  }

  /** Removes expired values from time to time; call it when adding. */
  sweep(at: EpochMs): void {
    if (this.#values.size < this.#sweepAt) return;
    for (const [key, { expiresAt }] of this.#values) if (expiresAt <= at) this.#values.delete(key);
    this.#sweepAt = Math.max(64, 2 * this.#values.size);
  }
}
