/** One place of an id in an {@link IdList}. */
interface Link {
  readonly id: string;
  before: Link | undefined;
  after: Link | undefined;
  /** Another place of the same id; only set while there is an index. */
  twin: Link | undefined;
}

/**
 * Task ids in the order in which they run. Both ends are reached in constant time, and so is any id by name once one
 * was looked up: only then is an index built, since most lists never need it. Like a list in Redis, it may contain an
 * id twice.
 *
 * @example
 * pending.addLast('a');
 * pending.takeFirst(); // 'a'
 */
export class IdList implements Iterable<string> {
  /** The newest link of each id; exists from the first lookup by name until the list is empty. */
  #index: Map<string, Link> | undefined;
  #first: Link | undefined;
  #last: Link | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    return this.#linkOf(id) !== undefined;
  }

  addFirst(id: string): void {
    const link = this.#link(id);
    link.after = this.#first;
    if (this.#first === undefined) this.#last = link;
    else this.#first.before = link;
    this.#first = link;
  }

  addLast(id: string): void {
    const link = this.#link(id);
    link.before = this.#last;
    if (this.#last === undefined) this.#first = link;
    else this.#last.after = link;
    this.#last = link;
  }

  /** Removes and returns the first id; `undefined` if there is none. */
  takeFirst(): string | undefined {
    const link = this.#first;
    if (link === undefined) return undefined;
    this.#unlink(link);
    return link.id;
  }

  /**
   * Looks at the ids from the first on, or from behind the youngest place of `after`, and takes out those that `look`
   * says to take. Tells whether it came to the end; `undefined` when `after` is not there.
   */
  sift(look: (id: string) => 'take' | 'leave' | 'stop', after?: string): 'end' | 'stopped' | undefined {
    const start = after === undefined ? undefined : this.#linkOf(after);
    if (after !== undefined && start === undefined) return undefined;
    let link = start === undefined ? this.#first : start.after;
    while (link !== undefined) {
      const next: Link | undefined = link.after;
      const decision = look(link.id);
      if (decision === 'stop') return 'stopped';
      if (decision === 'take') this.#unlink(link);
      link = next;
    }
    return 'end';
  }

  /** Removes an id once: the one added last if it occurs twice. Returns whether it was there. */
  delete(id: string): boolean {
    const link = this.#linkOf(id);
    if (link === undefined) return false;
    this.#unlink(link);
    return true;
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let link = this.#first; link !== undefined; link = link.after) yield link.id;
  }

  #link(id: string): Link {
    const link: Link = { id, before: undefined, after: undefined, twin: undefined };
    if (this.#index !== undefined) enter(this.#index, link);
    this.#size += 1;
    return link;
  }

  #linkOf(id: string): Link | undefined {
    if (this.#index === undefined && this.#size > 0) {
      this.#index = new Map();
      for (let link = this.#first; link !== undefined; link = link.after) enter(this.#index, link);
    }
    return this.#index?.get(id);
  }

  #unlink(link: Link): void {
    const { before, after } = link;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    // A dead link must not keep those alive that were once its neighbors (see engine/server/run-list.ts).
    link.before = link.after = undefined;
    this.#size -= 1;
    if (this.#size === 0) this.#index = undefined;
    else if (this.#index !== undefined) leave(this.#index, link);
  }
}

function enter(index: Map<string, Link>, link: Link): void {
  link.twin = index.get(link.id);
  index.set(link.id, link);
}

function leave(index: Map<string, Link>, link: Link): void {
  const youngest = index.get(link.id) as Link;
  if (youngest === link) {
    if (link.twin === undefined) index.delete(link.id);
    else index.set(link.id, link.twin);
    return;
  }
  let younger = youngest;
  while (younger.twin !== link) younger = younger.twin as Link;
  younger.twin = link.twin;
}
