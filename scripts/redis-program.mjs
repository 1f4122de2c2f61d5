// Finds a Redis (or Valkey) server program, or installs the distribution's.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const serverNames = ['redis-server', 'valkey-server'];

/** What there is to run a server with, the best name first; `undefined` when there is nothing. */
export function findRedisServer(names = serverNames) {
  for (const name of names) {
    const path = onPath(name);
    if (path !== undefined) return { kind: 'program', path };
  }
  return undefined;
}

/**
 * As findRedisServer, but installs the distribution's package when that is possible, or falls back to Docker.
 * Throws one clear line when there is no way.
 */
export function provideRedisServer({ say = (line) => console.error(line) } = {}) {
  const found = findRedisServer() ?? installWithApt(say) ?? findDocker();
  if (found !== undefined) return found;
  throw new Error(
    'No Redis found: install redis-server or valkey-server (6.2 or newer), start Docker, or set TEST_REDIS_URL=redis://host:port',
  );
}

function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return undefined;
}

function installWithApt(say) {
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined || !isDebianLike()) return undefined;
  say('No redis-server found: installing the package redis-server with apt-get');
  // The package starts a server on port 6379 unless this file forbids it; that server is not ours to have.
  const policy = '/usr/sbin/policy-rc.d';
  const mayForbid = !existsSync(policy);
  if (mayForbid) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']]) {
      const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
      if (status !== 0) {
        say(`apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`);
        return undefined;
      }
    }
  } finally {
    if (mayForbid) rmSync(policy, { force: true });
  }
  return findRedisServer();
}

function isDebianLike() {
  try {
    return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

function findDocker() {
  if (onPath('docker') === undefined) return undefined;
  const { status } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 });
  return status === 0 ? { kind: 'docker' } : undefined;
}
