/** An id and the score by which it is ordered. */
export interface ScoredId {
  readonly id: string;
  readonly score: number;
}

/** What decides between equal scores: the name, as in Redis, or the order of arrival. */
export type Ties = 'by-name' | 'by-arrival';

interface Entry extends ScoredId {
  /** Only where arrivals decide. */
  readonly arrival: number | undefined;
}

/** Entries of one page; a full page is split. Small enough that an insertion moves little. */
const pageSize = 512;

/**
 * Ids ordered by a score, and by name where scores are equal: what a sorted set is in Redis. Kept as sorted pages, so
 * that adding and taking out cost a binary search and a short move, whatever the size. With `'by-arrival'` equal scores
 * are in the order in which they were given.
 *
 * @example
 * lease.add('a', 1_700_000_030);
 * lease.upTo(1_700_000_030, 100); // [{ id: 'a', score: 1_700_000_030 }]
 */
export class ScoredIds implements Iterable<ScoredId> {
  readonly #entries = new Map<string, Entry>();
  /** In order; none is empty. */
  readonly #pages: Entry[][] = [];
  #arrivals = 0;

  constructor(private readonly ties: Ties = 'by-name') {}

  get size(): number {
    return this.#entries.size;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  scoreOf(id: string): number | undefined {
    return this.#entries.get(id)?.score;
  }

  /** The entry that comes first; `undefined` when there is none. */
  get first(): ScoredId | undefined {
    return this.#pages[0]?.[0];
  }

  /** The entry that comes last; `undefined` when there is none. */
  get last(): ScoredId | undefined {
    return this.#pages.at(-1)?.at(-1);
  }

  /** Adds an id, or moves it to another score. */
  add(id: string, score: number): void {
    const known = this.#entries.get(id);
    if (known?.score === score) return;
    if (known !== undefined) this.#leavePage(known);
    const entry: Entry = { id, score, arrival: this.ties === 'by-arrival' ? this.#arrivals++ : undefined };
    this.#entries.set(id, entry);
    this.#enterPage(entry);
  }

  /** Removes an id; returns whether it was there. */
  delete(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    this.#leavePage(entry);
    return true;
  }

  /** Returns the first entries, at most `limit`, whose score is at most `score`. */
  upTo(score: number, limit: number): ScoredId[] {
    const found: ScoredId[] = [];
    for (const entry of this) {
      if (found.length >= limit || entry.score > score) break;
      found.push(entry);
    }
    return found;
  }

  /** Returns the lowest score above `score`; `undefined` if there is none. */
  scoreAbove(score: number): number | undefined {
    const page = this.#pages.find((candidate) => (candidate.at(-1) as ScoredId).score > score);
    return page?.find((entry) => entry.score > score)?.score;
  }

  *[Symbol.iterator](): Iterator<ScoredId> {
    for (const page of this.#pages) yield* page;
  }

  #enterPage(entry: Entry): void {
    const at = Math.min(this.#pageOf(entry), this.#pages.length - 1);
    const page = this.#pages[at];
    if (page === undefined) {
      this.#pages.push([entry]);
      return;
    }
    if (isBefore(page.at(-1) as Entry, entry)) page.push(entry);
    else page.splice(placeIn(page, entry), 0, entry);
    if (page.length > pageSize) this.#pages.splice(at + 1, 0, page.splice(pageSize / 2));
  }

  #leavePage(entry: Entry): void {
    const at = this.#pageOf(entry);
    const page = this.#pages[at] as Entry[];
    if (page.length === 1) this.#pages.splice(at, 1);
    else page.splice(placeIn(page, entry), 1);
  }

  /** Index of the first page whose last entry is not before this one. */
  #pageOf(entry: Entry): number {
    let low = 0;
    let high = this.#pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore((this.#pages[middle] as Entry[]).at(-1) as Entry, entry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Index of the first entry of a page that is not before this one. */
function placeIn(page: readonly Entry[], entry: Entry): number {
  let low = 0;
  let high = page.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(page[middle] as Entry, entry)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(one: Entry, other: Entry): boolean {
  if (one.score !== other.score) return one.score < other.score;
  return one.arrival === undefined || other.arrival === undefined ? one.id < other.id : one.arrival < other.arrival;
}
