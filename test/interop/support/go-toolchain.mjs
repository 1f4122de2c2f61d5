import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Why the interop tests cannot run here, or `undefined` when they can. They need a Go toolchain as new as the program's
 * go.mod asks for. `ASYNQ_INTEROP=off` leaves them out by wish, on a machine whose Go cannot fetch modules, say.
 *
 * @returns {string | undefined}
 */
export function goMissing() {
  if (process.env['ASYNQ_INTEROP'] === 'off') return 'ASYNQ_INTEROP is off';
  const { stdout, error } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  if (error) return 'go is not on PATH';
  const wanted = version(readFileSync(new URL('../go/go.mod', import.meta.url), 'utf8').match(/^go (\S+)/m)?.[1]);
  const found = version(stdout.match(/go(\S+)/)?.[1]);
  const tooOld = found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1]);
  return tooOld ? `go ${found.join('.')} is older than the ${wanted.join('.')} it needs` : undefined;
}

/** @param {string | undefined} text @returns {[number, number]} */
function version(text) {
  const [major = 0, minor = 0] = (text ?? '').split('.').map((part) => Number.parseInt(part, 10) || 0);
  return [major, minor];
}
