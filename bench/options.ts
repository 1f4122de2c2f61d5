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
  /** Whether the program exits with status 3 when a target is missed. */
  readonly check: boolean;
}

const usage = `usage: npm run bench -- [--only CASE] [--rounds N] [--quick] [--check] [--json]
  CASE      one of ${caseNames.join(', ')}, or several separated by commas
  N         number of rounds, of which the median is shown; default 3
  --quick   takes less than 40 seconds: fewer tasks, and only as many rounds as fit
  --check   exits with status 3 when a figure misses its target
  --json    prints only one JSON object on standard output`;

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
