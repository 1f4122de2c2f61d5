/** Collects what a drill measured and whether each figure is within its bound. */
export class Verdict {
  #failed = 0;

  /** Prints a figure that has no bound. */
  tell(what: string, figure: string | number): void {
    console.log(`  ${what}: ${figure}`);
  }

  /** Prints a figure with its bound and notes whether it holds. */
  expect(what: string, { figure, bound, holds }: { figure: string | number; bound: string; holds: boolean }): void {
    if (!holds) this.#failed++;
    console.log(`${holds ? '✓' : '✗'} ${what}: ${figure} (${bound})`);
  }

  /** Expects that a figure is 0. */
  expectNone(what: string, figure: number): void {
    this.expect(what, { figure, bound: 'none', holds: figure === 0 });
  }

  /** Whether every figure was within its bound. */
  get passed(): boolean {
    return this.#failed === 0;
  }
}
