import { caseNames } from './case.js';
import { Arguments } from './support/arguments.js';

/** What the command line asks for. */
export interface BenchOptions {
  /** Cases to run; undefined means all. */
  readonly only: ReadonlySet<string> | undefined;
  readonly rounds: number;
  /** Fewer tasks, and no more rounds than fit: rougher figures in less than 40 seconds. */
  readonly quick: boolean;
  readonly json: boolean;
  /** Whether a target that is missed ends the program with status 3. */
  readonly check: boolean;
}

const usage = `usage: npm run bench -- [--only CASE] [--rounds N] [--quick] [--check] [--json]
  CASE      one of ${caseNames.join(', ')}, or several with commas between
  N         rounds whose median is taken; 3 unless given
  --quick   less than 40 seconds: fewer tasks, and no more rounds than fit
  --check   ends with status 3 when a figure falls short of its target
  --json    prints one JSON object on standard output, and nothing else`;

/** Reads the command line; ends the program when it is wrong. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const args = new Arguments(argv, usage);
  const only = args.text('only')?.split(',');
  for (const name of only ?? []) if (!(caseNames as readonly string[]).includes(name)) args.fail(`no case "${name}"`);
  const options: BenchOptions = {
    only: only && new Set(only),
    rounds: Math.ceil(args.number('rounds', 3)),
    quick: args.flag('quick'),
    json: args.flag('json'),
    check: args.flag('check'),
  };
  args.end();
  return options;
}
