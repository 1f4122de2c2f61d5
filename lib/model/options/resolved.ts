/** Checked and complete options, passed on by the code that resolved them. */
export class Resolved<T> {
  constructor(readonly options: T) {}
}
