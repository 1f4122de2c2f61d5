import type { EpochMs } from '../../model/time/duration.js';

interface Slot<T> {
  readonly at: EpochMs;
  readonly item: T;
}

/** Items ordered by their instants, earliest first. Adding and taking cost O(log n). */
export class TickHeap<T> {
  #slots: Slot<T>[] = [];

  get size(): number {
    return this.#slots.length;
  }

  /** The earliest instant. */
  get earliest(): EpochMs | undefined {
    return this.#slots[0]?.at;
  }

  add(at: EpochMs, item: T): void {
    const slots = this.#slots;
    let place = slots.push({ at, item }) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((slots[parent] as Slot<T>).at <= at) break;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** Removes and returns the item with the earliest instant. */
  take(): T | undefined {
    const slots = this.#slots;
    const first = slots[0];
    const last = slots.pop();
    if (first === undefined || last === undefined) return undefined;
    if (slots.length > 0) {
      slots[0] = last;
      this.#sink();
    }
    return first.item;
  }

  /** Removes the items for which `isWanted` returns false. */
  keep(isWanted: (item: T) => boolean): void {
    // A sorted array is a heap.
    this.#slots = this.#slots.filter(({ item }) => isWanted(item)).sort((a, b) => a.at - b.at);
  }

  #sink(): void {
    const slots = this.#slots;
    for (let place = 0; ;) {
      const left = 2 * place + 1;
      const right = left + 1;
      let smallest = place;
      for (const child of [left, right]) {
        if (child < slots.length && (slots[child] as Slot<T>).at < (slots[smallest] as Slot<T>).at) smallest = child;
      }
      if (smallest === place) return;
      this.#swap(place, smallest);
      place = smallest;
    }
  }

  #swap(a: number, b: number): void {
    const slot = this.#slots[a] as Slot<T>;
    this.#slots[a] = this.#slots[b] as Slot<T>;
    this.#slots[b] = slot;
  }
}
