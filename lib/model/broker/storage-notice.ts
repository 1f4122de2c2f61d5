/** Something that storage found and worked around, which would otherwise go unnoticed. */
export type StorageNotice =
  /** A key has a wrong type. It was not changed, and the operation continued with the rest. */
  | {
      readonly kind: 'wrong-type';
      /** `undefined` for a key that belongs to no queue. */
      readonly queue: string | undefined;
      readonly key: string;
      readonly expected: StoredType;
      readonly found: string;
    }
  /**
   * Ids whose stored task is gone (deleted by hand, evicted) were removed from where they were; those tasks are lost.
   */
  | { readonly kind: 'dropped'; readonly queue: string; readonly from: DroppedFrom; readonly count: number };

/** The types of the keys in which tasks are kept. */
export type StoredType = 'string' | 'list' | 'set' | 'zset' | 'hash';

/** Where ids without a stored task are found. */
export type DroppedFrom = 'pending' | 'scheduled' | 'retry' | 'active' | 'lease' | 'archived' | 'completed' | 'group';

/** Passes notices to listeners. */
export class StorageNotices {
  readonly #listeners = new Set<(notice: StorageNotice) => void>();

  /** Calls `listener` with every notice. Returns a function that removes it. */
  listen(listener: (notice: StorageNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(notice: StorageNotice): void {
    for (const listener of this.#listeners) listener(notice);
  }

  /** Reports a key of a wrong type. */
  wrongType(key: Omit<Extract<StorageNotice, { kind: 'wrong-type' }>, 'kind'>): void {
    this.tell({ kind: 'wrong-type', ...key });
  }

  /** Reports dropped ids, if there are any. */
  dropped(queue: string, { from, count }: { readonly from: DroppedFrom; readonly count: number }): void {
    if (count > 0) this.tell({ kind: 'dropped', queue, from, count });
  }
}
