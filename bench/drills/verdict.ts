/** Collects what a drill measured and whether each figure is as promised. */
export class Verdict {
  #failed = 0;

  /** A figure that has no bound. */
  tell(what: string, figure: string | number): void {
    console.log(`  ${what}: ${figure}`);
  }

  /** A figure and what it must be. */
  expect(what: string, { figure, bound, holds }: { figure: string | number; bound: string; holds: boolean }): void {
    if (!holds) this.#failed++;
    console.log(`${holds ? '✓' : '✗'} ${what}: ${figure} (${bound})`);
  }

  /** How many there were of what there must be none of. */
  expectNone(what: string, figure: number): void {
    this.expect(what, { figure, bound: 'none', holds: figure === 0 });
  }

  /** Whether everything was as promised. */
  get passed(): boolean {
    return this.#failed === 0;
  }
}
