import { scriptSources, type ScriptFile } from './generated/script-sources.js';

/**
 * One atomic operation on one hash slot: a Lua file with its contract. The header of the file and this declaration
 * say the same; a test compares them.
 */
export interface Script {
  readonly file: ScriptFile;
  /** Names of KEYS, in order; a last name that starts with `...` stands for any number. */
  readonly keys: readonly string[];
  /** Names of ARGV, in order; a last name that starts with `...` stands for any number. */
  readonly args: readonly string[];
  /** The words it may answer with; empty when it answers with data. */
  readonly replies: readonly string[];
  readonly source: string;
  readonly sha: string;
}

/** Declares the contract of a Lua file. */
export function defineScript(contract: Pick<Script, 'file' | 'keys' | 'args' | 'replies'>): Script {
  return { ...contract, ...scriptSources[contract.file] };
}
