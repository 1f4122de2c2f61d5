// npm start: runs sample/01-email, or the sample that is named (npm start -- 04-aggregation), on the Redis of REDIS_URL,
// or on one of its own that ends with it.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { prepare } from './prepare.mjs';
import { provideRedisServer, startRedisServer } from './redis-server.mjs';

const sample = `sample/${process.argv[2] ?? '01-email'}`;
if (!existsSync(`${sample}/src/main.ts`)) {
  console.error(`There is no ${sample}; the samples are ${readdirSync('sample').join(', ')}`);
  process.exit(1);
}
prepare(sample);

const own = process.env.REDIS_URL === undefined ? await startOwnRedis() : undefined;
const app = spawn(process.execPath, [`${sample}/dist/main.js`], {
  stdio: 'inherit',
  env: { ...process.env, REDIS_URL: own?.url ?? process.env.REDIS_URL },
});

// Ctrl-C reaches the app as well, since both are in the foreground: wait for it. Other signals are passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => app.kill(signal));

app.on('exit', async (code, signal) => {
  await own?.stop();
  process.exit(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1));
});

async function startOwnRedis() {
  try {
    const server = provideRedisServer({ say: (line) => console.log(line) });
    const redis = await startRedisServer({ server });
    console.log(`Redis for this run: ${redis.url} (set REDIS_URL to use another; it keeps nothing)`);
    return redis;
  } catch (error) {
    const [line] = error.message.replace('TEST_REDIS_URL', 'REDIS_URL').split('\n');
    console.error(line);
    process.exit(1);
  }
}
