// npm start: runs sample/01-email, or the sample that is named (npm start -- 04-aggregation), on the Redis of REDIS_URL,
// or with queues in memory.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { prepare } from './prepare.mjs';

const sample = `sample/${process.argv[2] ?? '01-email'}`;
if (!existsSync(`${sample}/src/main.ts`)) {
  console.error(`There is no ${sample}; the samples are ${readdirSync('sample').join(', ')}`);
  process.exit(1);
}
prepare(sample);

const { REDIS_URL = 'memory:' } = process.env;
if (REDIS_URL === 'memory:') {
  console.log(
    'The queues are in memory and end with this process; for Redis: REDIS_URL=redis://localhost:6379 npm start',
  );
}
const app = spawn(process.execPath, [`${sample}/dist/main.js`], {
  stdio: 'inherit',
  env: { ...process.env, REDIS_URL },
});

// Ctrl-C reaches the app as well, since both are in the foreground: wait for it. Other signals are passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => app.kill(signal));

app.on('exit', (code, signal) => {
  process.exit(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1));
});
