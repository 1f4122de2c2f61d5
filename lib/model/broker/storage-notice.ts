/** Something that storage met and worked around, so that nobody would hear of it otherwise. */
export type StorageNotice =
  /** A key holds another type than it must. It was left as it is, and the operation went on with the rest. */
  | {
      readonly kind: 'wrong-type';
      /** `undefined` for a key that belongs to no queue. */
      readonly queue: string | undefined;
      readonly key: string;
      readonly expected: StoredType;
      readonly found: string;
    }
  /** Ids whose stored task is gone (deleted by hand, evicted) were taken out of where they were: those tasks are lost. */
  | { readonly kind: 'dropped'; readonly queue: string; readonly from: DroppedFrom; readonly count: number };

/** The types of keys that tasks are kept in. */
export type StoredType = 'string' | 'list' | 'set' | 'zset' | 'hash';

/** Where ids without a stored task are found. */
export type DroppedFrom = 'pending' | 'scheduled' | 'retry' | 'active' | 'lease' | 'archived' | 'completed' | 'group';

/** Passes notices on to whoever listens. */
export class StorageNotices {
  readonly #listeners = new Set<(notice: StorageNotice) => void>();

  /** Tells `listener` about every notice; returns a function that stops it. */
  listen(listener: (notice: StorageNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(notice: StorageNotice): void {
    for (const listener of this.#listeners) listener(notice);
  }

  /** Tells of a key that holds another type than it must. */
  wrongType(key: Omit<Extract<StorageNotice, { kind: 'wrong-type' }>, 'kind'>): void {
    this.tell({ kind: 'wrong-type', ...key });
  }

  /** Tells that ids were dropped, unless none were. */
  dropped(queue: string, { from, count }: { readonly from: DroppedFrom; readonly count: number }): void {
    if (count > 0) this.tell({ kind: 'dropped', queue, from, count });
  }
}
