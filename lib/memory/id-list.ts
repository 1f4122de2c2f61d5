/** One place of an id in an {@link IdList}. */
interface Link {
  readonly id: string;
  before: Link | undefined;
  after: Link | undefined;
  /** Another place of the same id. */
  twin: Link | undefined;
}

/**
 * Task ids in the order in which they run. Both ends, and any id by its name, are reached in constant time. Like a list
 * in Redis it may hold an id twice.
 *
 * @example
 * pending.addLast('a');
 * pending.takeFirst(); // 'a'
 */
export class IdList implements Iterable<string> {
  readonly #links = new Map<string, Link>();
  #first: Link | undefined;
  #last: Link | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    return this.#links.has(id);
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

  /** Takes the first id out; `undefined` when there is none. */
  takeFirst(): string | undefined {
    const link = this.#first;
    if (link === undefined) return undefined;
    this.#unlink(link);
    return link.id;
  }

  /** Takes an id out, once; the one that was added last when it is there twice. Tells whether it was there. */
  delete(id: string): boolean {
    const link = this.#links.get(id);
    if (link === undefined) return false;
    this.#unlink(link);
    return true;
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let link = this.#first; link !== undefined; link = link.after) yield link.id;
  }

  #link(id: string): Link {
    const link: Link = { id, before: undefined, after: undefined, twin: this.#links.get(id) };
    this.#links.set(id, link);
    this.#size += 1;
    return link;
  }

  #unlink(link: Link): void {
    const { before, after } = link;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    // A dead link must not keep those alive that were once its neighbours (see engine/server/running-tasks.ts).
    link.before = link.after = undefined;
    this.#size -= 1;
    this.#forget(link);
  }

  #forget(link: Link): void {
    const newest = this.#links.get(link.id) as Link;
    if (newest === link) {
      if (link.twin === undefined) this.#links.delete(link.id);
      else this.#links.set(link.id, link.twin);
      return;
    }
    let younger = newest;
    while (younger.twin !== link) younger = younger.twin as Link;
    younger.twin = link.twin;
  }
}
