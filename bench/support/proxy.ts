import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TcpProxy } from '../../scripts/tcp-proxy.mjs';
import { root } from './own-redis.js';

/** Starts a proxy that stands between clients and a port of this machine. */
export async function startProxy(to: number): Promise<TcpProxy> {
  const url = pathToFileURL(join(root, 'scripts/tcp-proxy.mjs')).href;
  const { startTcpProxy } = (await import(url)) as typeof import('../../scripts/tcp-proxy.mjs');
  return await startTcpProxy(to);
}
