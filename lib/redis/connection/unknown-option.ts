import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { checkObject, type Given, pathOf, unknownOption } from '../../model/options/check.js';

/** The equivalents of names in other libraries, tools and configuration files. */
const foreignNames: Readonly<Record<string, string>> = {
  url: "the URL itself as the option: redis: 'redis://host:6379/0'",
  uri: "the URL itself as the option: redis: 'redis://host:6379/0'",
  href: "the URL itself as the option: redis: 'redis://host:6379/0'",
  connectionstring: "the URL itself as the option: redis: 'redis://host:6379/0'",
  addr: 'host and port',
  addrs: 'cluster: { nodes }, or sentinels and name',
  address: 'host and port',
  endpoint: 'host and port',
  hostname: 'host',
  server: 'host',
  ip: 'host',
  socket: 'host and port, or path for a Unix socket',
  unix: 'path',
  unixsocket: 'path',
  database: 'db',
  dbname: 'db',
  dbindex: 'db',
  redis: 'its options themselves, without a second redis around them',
  connection: 'its options themselves, without connection around them',
  options: 'its options themselves, without options around them',
  client: 'the client itself as the option: redis: client',
  user: 'username',
  pass: 'password',
  passwd: 'password',
  auth: 'username and password',
  authpass: 'password',
  ssl: 'tls',
  secure: 'tls: {}',
  rediss: 'tls: {}',
  mastername: 'name',
  master: 'name',
  nodes: 'cluster: { nodes }',
  rootnodes: 'cluster: { nodes }',
  startupnodes: 'cluster: { nodes }',
  prefix: 'nothing: keys have fixed names',
};

/**
 * Refuses an object with a name that ioredis does not know: `{ url }` or `{ hostname }` would silently lead to
 * localhost. The error suggests what was probably meant.
 */
export function checkOptionNames(given: Given, names: readonly string[]): void {
  for (const name of Object.keys(checkObject(given))) {
    if (!names.includes(name)) throw unknownName(pathOf(given.path, name), { name, names });
  }
}

function unknownName(
  path: string,
  { name, names }: { readonly name: string; readonly names: readonly string[] },
): InvalidOptionError {
  const meant = foreignNames[name.toLowerCase().replaceAll(/[^a-z]/g, '')];
  if (meant === undefined) return unknownOption(path, names);
  return new InvalidOptionError({
    path,
    value: name,
    allowed: `one of ${names.join(', ')}`,
    message: `${path} is not an option; use ${meant}`,
  });
}
