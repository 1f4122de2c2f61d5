import type { StoredType } from '../model/broker/storage-notice.js';
import { scriptSources, type ScriptFile } from './generated/script-sources.js';

/**
 * One atomic operation on one hash slot: a Lua file with its contract. The header of the file and this declaration say
 * the same; a test compares them.
 */
export interface Script {
  readonly file: ScriptFile;
  /** Names of KEYS, in order; a last name that starts with `...` means any number. */
  readonly keys: readonly string[];
  /** Names of ARGV, in order; a last name that starts with `...` means any number. */
  readonly args: readonly string[];
  /** The words it may reply with; empty if it replies with data. */
  readonly replies: readonly string[];
  /** The types of KEYS, as far as their names determine them. */
  readonly keyTypes: readonly (StoredType | undefined)[];
  readonly source: string;
  readonly sha: string;
}

/** Declares the contract of a Lua file. */
export function defineScript(contract: Pick<Script, 'file' | 'keys' | 'args' | 'replies'>): Script {
  return { ...contract, keyTypes: contract.keys.map((name) => typesByName[name]), ...scriptSources[contract.file] };
}

/** The types of the keys that scripts name, the same in each script. */
const typesByName: Readonly<Record<string, StoredType>> = {
  pending: 'list',
  active: 'list',
  schedules: 'list',
  lease: 'zset',
  maintenance: 'string',
  scheduled: 'zset',
  retry: 'zset',
  due: 'zset',
  archived: 'zset',
  completed: 'zset',
  aggregationSets: 'zset',
  group: 'zset',
  set: 'zset',
  history: 'zset',
  groups: 'set',
  task: 'hash',
  ticks: 'hash',
  workers: 'hash',
};
