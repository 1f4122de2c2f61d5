import { type Given, refuse } from '../model/options/check.js';

/** A `redis` option that means the broker in memory. */
export interface MemoryTarget {
  /** Name of the shared store; `undefined` for a private store. */
  readonly name: string | undefined;
}

const form = /^memory:([\p{L}\p{N}._-]*)$/iu;

/**
 * Parses `'memory:'` and `'memory:NAME'`, as a string or URL; `undefined` if the option is neither.
 *
 * @throws InvalidOptionError when it begins like one but is not one, such as `memory://host`.
 */
export function readMemoryOption(given: Given): MemoryTarget | undefined {
  const text = given.value instanceof URL ? given.value.href : given.value;
  if (typeof text !== 'string' || !/^\s*memory(?::|$)/i.test(text)) return undefined;
  const [, name] = form.exec(text) ?? [];
  if (name !== undefined) return { name: name === '' ? undefined : name };
  return refuse(
    { path: given.path, value: text },
    "'memory:' or 'memory:NAME', the name of letters, digits, '.', '_' and '-'",
  );
}
