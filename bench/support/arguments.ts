/** Command line arguments of the form `--name value` and `--name`, read strictly: an unknown one ends the program. */
export class Arguments {
  readonly #rest: string[];
  readonly #usage: string;

  constructor(args: readonly string[], usage: string) {
    this.#rest = [...args];
    this.#usage = usage;
  }

  /** The first argument that is no option. */
  word(): string | undefined {
    const index = this.#rest.findIndex((arg, at) => !arg.startsWith('--') && !this.#rest[at - 1]?.startsWith('--'));
    return index === -1 ? undefined : this.#rest.splice(index, 1)[0];
  }

  /** Whether `--name` is given. */
  flag(name: string): boolean {
    const index = this.#rest.indexOf(`--${name}`);
    if (index === -1) return false;
    this.#rest.splice(index, 1);
    return true;
  }

  /** The value of `--name value`. */
  text(name: string): string | undefined {
    const index = this.#rest.indexOf(`--${name}`);
    if (index === -1) return undefined;
    const [, value] = this.#rest.splice(index, 2);
    return value ?? this.fail(`--${name} needs a value`);
  }

  /** The value of `--name value` as a positive number. */
  number(name: string, otherwise: number): number {
    const value = this.text(name);
    if (value === undefined) return otherwise;
    return Number(value) > 0 ? Number(value) : this.fail(`--${name} must be a positive number, got "${value}"`);
  }

  /** Refuses what nobody has read. */
  end(): void {
    if (this.#rest.length > 0) this.fail(`unknown: ${this.#rest.join(' ')}`);
  }

  fail(reason: string): never {
    console.error(`${reason}\n${this.#usage}`);
    process.exit(2);
  }
}
