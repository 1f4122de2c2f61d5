// Records the files of test/interop/golden from the Go implementation: `node test/interop/recorder/record.mjs`.
// Needs Go and a Redis server. Recording twice gives the same files.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { startRedisServer } from '../../../scripts/redis-server.mjs';
import { describeQueue } from './describe-queue.mjs';
import { nexts, refusals, years } from './cron-inputs.mjs';
import { enqueues, options, records } from './inputs.mjs';

const here = (path) => new URL(path, import.meta.url);

/** Runs a subcommand of the Go program with one request a line and returns its answers. */
function askGo(args, requests) {
  const input = requests.map((request) => JSON.stringify(request)).join('\n');
  const { stdout, stderr, status } = spawnSync('go', ['run', '-buildvcs=false', '.', ...args], {
    cwd: here('../go'),
    encoding: 'utf8',
    input,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const failed = answers.find(({ error = '' }) => error !== '');
  if (failed !== undefined) throw new Error(failed.error);
  return answers;
}

function recordMessages() {
  for (const [message, cases] of Object.entries(records)) {
    const requests = Object.values(cases).map((fields) => ({ message, fields }));
    const answers = askGo(['codec'], requests);
    const recorded = Object.keys(cases).map((name, index) => {
      const { hex, fields } = answers[index];
      return { name, fields, hex };
    });
    save(fileName(message), recorded);
  }
}

function recordOptions() {
  const answers = askGo(
    ['codec'],
    options.map(([kind, value]) => ({ option: optionSpec(kind, value) })),
  );
  save(
    'option-text.json',
    options.map(([kind, value], index) => ({ kind, value, text: answers[index].text })),
  );
}

function optionSpec(kind, value) {
  return typeof value === 'string' ? { kind, text: value } : { kind, number: value };
}

/** What Go's client leaves in Redis, queue by queue: each case has a queue of its own. */
async function recordEnqueues() {
  const server = await startRedisServer();
  const redis = new Redis(server.url);
  try {
    const cases = Object.entries(enqueues).map(([name, task], index) => ({
      name,
      ...task,
      queue: `golden-${index}`,
      id: `task-${index}`,
    }));
    askGo(
      ['enqueue', '-redis', server.url],
      cases.map((task) => ({
        ...task,
        payload: task.payload === null ? null : Buffer.from(task.payload).toString('base64'),
        options: [
          { kind: 'queue', text: task.queue },
          { kind: 'taskId', text: task.id },
          ...Object.entries(task.options ?? {}).map(([kind, value]) => optionSpec(kind, value)),
        ],
      })),
    );
    const recorded = [];
    for (const task of cases) recorded.push({ ...task, stored: await describeQueue(redis, task.queue) });
    save('enqueues.json', recorded);
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

/** One record a line: there are hundreds. */
function recordTicks() {
  const lines = [...years, ...nexts, ...refusals].map((request) => JSON.stringify(request));
  const answers = askGo(['cron'], [...years, ...nexts, ...refusals]);
  const recorded = lines.map((line, index) => `${line.slice(0, -1)},"answer":${JSON.stringify(answers[index])}}`);
  writeFileSync(here('../golden/cron-ticks.json'), `[\n${recorded.join(',\n')}\n]\n`);
}

/** `TaskMessage` -> `task-message.json` */
function fileName(message) {
  return `${message.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()}.json`;
}

function save(file, recorded) {
  writeFileSync(here(`../golden/${file}`), `${JSON.stringify(recorded, undefined, 2)}\n`);
}

recordMessages();
recordOptions();
recordTicks();
await recordEnqueues();
