import { isIPv6 } from 'node:net';
import { checkInteger, checkText, type Given, pathOf, refuse } from '../../model/options/check.js';
import { type RedisServerOptions, serverOptionNames } from './ioredis-options.js';
import { defaultAddress, defaultSentinelPort } from './server-address.js';
import { hideCredentials } from './redis-url.js';
import { checkOptionNames } from './unknown-option.js';

/**
 * Checks options for one server, or for the master that sentinels know.
 *
 * @throws InvalidOptionError
 */
export function checkServerOptions({ path, value }: Given): RedisServerOptions {
  checkOptionNames({ path, value }, serverOptionNames);
  const options = value as RedisServerOptions;
  const { host, port, db, sentinels, name } = options;
  checkHost({ path: pathOf(path, 'host'), value: host });
  checkNumber({ path: pathOf(path, 'port'), value: port }, { min: 1, max: 65_535 });
  checkNumber({ path: pathOf(path, 'db'), value: db }, { min: 0 });
  checkNoPrefix(path, options);
  if (Array.isArray(sentinels)) {
    if (sentinels.length === 0) refuse({ path: pathOf(path, 'sentinels'), value: [] }, 'at least one sentinel');
    if (!name) refuse({ path: pathOf(path, 'name'), value: name }, 'the name of the master');
    for (const [index, sentinel] of sentinels.entries()) {
      checkServerOptions({ path: pathOf(path, `sentinels[${index}]`), value: sentinel });
    }
  }
  return options;
}

/**
 * Returns warnings about parts of an address that are `undefined`, as when an environment variable is not set: they
 * lead to another server than intended.
 */
export function undefinedParts(options: RedisServerOptions, path: string): readonly string[] {
  const { sentinels } = options;
  if (sentinels !== undefined) {
    const defaults = { host: defaultAddress.host, port: defaultSentinelPort };
    return sentinels.flatMap((sentinel, index) => undefinedIn(sentinel, pathOf(path, `sentinels[${index}]`), defaults));
  }
  return options.path === undefined ? undefinedIn({ ...options }, path, defaultAddress) : [];
}

function undefinedIn(
  options: Readonly<Record<string, unknown>>,
  path: string,
  defaults: Readonly<Record<string, string | number>>,
): readonly string[] {
  return Object.entries(defaults).flatMap(([name, used]) =>
    name in options && options[name] === undefined
      ? `${pathOf(path, name)} is undefined, so ${used} is used; leave the option out if that is intended`
      : [],
  );
}

/** Refuses a key prefix: scripts build keys themselves and Go reads them, so a client's prefix would split the data. */
export function checkNoPrefix(path: string, { keyPrefix }: { readonly keyPrefix?: unknown }): void {
  if (keyPrefix) refuse({ path: pathOf(path, 'keyPrefix'), value: keyPrefix }, 'left out: keys have fixed names');
}

function checkHost({ path, value }: Given): void {
  if (value === undefined) return;
  const host = checkText({ path, value });
  if (/[:/@]/.test(host) && !isIPv6(host)) {
    refuse({ path, value: hideCredentials(host) }, 'a host name or an address, without scheme and port');
  }
}

/** Checks a number; numeric strings are accepted, because ports often come from the environment. */
function checkNumber({ path, value }: Given, range: { readonly min: number; readonly max?: number }): void {
  if (value === undefined) return;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  checkInteger({ path, value: number }, range);
}
