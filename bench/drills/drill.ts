// npm run drill -- NAME: plays one production failure and checks that nothing is lost.
import { Arguments } from '../support/arguments.js';
import { aggregate } from './aggregate.js';
import { bigSets } from './big-sets.js';
import { connections } from './connections.js';
import { cycles } from './cycles.js';
import { schedules } from './schedules.js';
import { cronReplicas } from './cron-replicas.js';
import { type DrillContext, seededRandom } from './drill-context.js';
import { due } from './due.js';
import { fencing } from './fencing.js';
import { full } from './full.js';
import { heap } from './heap.js';
import { kill9 } from './kill9.js';
import { outage } from './outage.js';
import { redisRestart } from './redis-restart.js';
import { sigterm } from './sigterm.js';
import { unknownTypes } from './unknown-types.js';
import { Verdict } from './verdict.js';
import { wrongTypes } from './wrong-types.js';

const drills: Readonly<Record<string, (context: DrillContext) => Promise<void>>> = {
  heap,
  kill9,
  'redis-restart': redisRestart,
  outage,
  fencing,
  full,
  'wrong-types': wrongTypes,
  'unknown-types': unknownTypes,
  due,
  connections,
  cycles,
  aggregate,
  'big-sets': bigSets,
  sigterm,
  'cron-replicas': cronReplicas,
  schedules,
};

const usage = `usage: npm run drill -- NAME [--seed N] [--minutes M] [--tasks N]
  heap           a worker's heap after 1,000,000 tasks and after 100,000 (--tasks)
  kill9          100 tasks in flight on a worker that is killed (--tasks)
  redis-restart  Redis killed and restarted under load (--seed)
  outage         outcomes in flight while the network is away (--seed), then Redis away for 5 minutes (--minutes)
  fencing        a disconnected worker comes back after its tasks were recovered; 1 minute
  full           Redis out of memory for 50 s, a handler that takes 60 s (--seed); 2 minutes
  wrong-types    each key of a queue in turn has a wrong type, next to an intact queue; 3 minutes
  unknown-types  5,000 tasks of a type that only one worker knows, Go or Nest (--tasks); 4 minutes
  due            10,000 tasks with random due times within a minute (--tasks, --minutes, --seed)
  connections    50 queues and 200 types, connections counted by Redis
  aggregate      100,000 tasks in 1,000 groups, aggregating servers killed meanwhile (--tasks, --seed); 3 minutes
  big-sets       sets of 1,000,000 tasks, no command above 20 ms (--tasks, --limit-ms, --only SCENE); 5 minutes
  cycles         1,000 test applications started and closed in one process (--tasks)
  sigterm        the sample is terminated under load
  cron-replicas  five schedulers, killed, frozen and with a wrong clock: one task per tick (--minutes, --seed)
  schedules      a scheduler with 10,000 schedules: its start and its idle cost (--tasks, --seed)`;

const args = new Arguments(process.argv.slice(2), usage);
const seed = args.number('seed', 1);
const minutes = args.number('minutes', 0) || undefined;
const tasks = args.number('tasks', 0) || undefined;
const limitMs = args.number('limit-ms', 0) || undefined;
const only = args.text('only');
const name = args.word();
args.end();
const drill = drills[name ?? ''] ?? args.fail(`no drill "${name ?? ''}"`);

console.log(`${name}, seed ${seed}`);
const ends: (() => unknown)[] = [];
const verdict = new Verdict();
try {
  await drill({
    verdict,
    random: seededRandom(seed),
    minutes,
    tasks,
    limitMs,
    only,
    atEnd: (end) => ends.push(end),
  });
} finally {
  for (const end of ends.toReversed()) await end();
}
console.log(verdict.passed ? 'passed' : 'FAILED');
process.exit(verdict.passed ? 0 : 1);
