// npm run drill -- NAME: plays one thing that goes wrong in production and checks that nothing is lost.
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
  heap           a worker's heap after 1,000,000 tasks and after a tenth of them (--tasks)
  kill9          100 tasks in flight on a worker that is killed (--tasks)
  redis-restart  Redis killed and started again under load (--seed)
  outage         outcomes in flight while the network is away (--seed), then Redis away for 5 minutes (--minutes)
  fencing        a worker that was cut off is back after its tasks were recovered; a minute
  full           Redis out of memory for 50 s, a handler of 60 s (--seed); two minutes
  wrong-types    each key of a queue in turn of another type, beside a sound queue; three minutes
  unknown-types  5,000 tasks that only one of the workers knows, Go's or Nest's (--tasks); four minutes
  due            10,000 random due times within a minute (--tasks, --minutes, --seed)
  connections    50 queues, 200 types: connections counted by Redis
  aggregate      100,000 tasks in 1,000 groups, aggregating servers killed meanwhile (--tasks, --seed); 3 minutes
  big-sets       sets of 1,000,000 tasks, no command above 20 ms (--tasks, --limit-ms, --only SCENE); 5 minutes
  cycles         1,000 applications under test in one process (--tasks)
  sigterm        the sample is told to end under load
  cron-replicas  five schedulers, killed, frozen and with a wrong clock, one task a tick (--minutes, --seed)
  schedules      a scheduler with 10,000 schedules: its start, and its cost at rest (--tasks, --seed)`;

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
