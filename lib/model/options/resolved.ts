/** Options that are checked and complete, handed on by whoever has resolved them. */
export class Resolved<T> {
  constructor(readonly options: T) {}
}
