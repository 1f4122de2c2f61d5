import { aggregating, finishingAggregations } from './aggregation.conformance.js';
import { archiving } from './archive.conformance.js';
import { canceling } from './cancel.conformance.js';
import type { Chapter } from './chapter.js';
import { expiringCompleted } from './completed.conformance.js';
import { dequeueing } from './dequeue.conformance.js';
import { dequeueingKnown } from './dequeue-known.conformance.js';
import { dyingHalfway } from './dying.conformance.js';
import { enqueueing } from './enqueue.conformance.js';
import { enqueueingLater } from './enqueue-later.conformance.js';
import { enqueueingGrouped, enqueueingUnique } from './enqueue-unique.conformance.js';
import { requeueing, retrying } from './failure.conformance.js';
import { fencing } from './fencing.conformance.js';
import { forwarding } from './forward.conformance.js';
import { collectingGroups } from './groups.conformance.js';
import { extendingLeases } from './lease.conformance.js';
import { brokerLife } from './life.conformance.js';
import { losingTasks } from './lost-tasks.conformance.js';
import { earliestDue, maintenanceLease } from './maintenance-lease.conformance.js';
import { presence, signaling } from './presence.conformance.js';
import { playing } from './random-play.conformance.js';
import { recovering } from './recover.conformance.js';
import { publishedSchedules, ticking } from './schedule.conformance.js';
import { settling } from './settle.conformance.js';
import { settlingSuccess } from './success.conformance.js';
import { undecodableRecords } from './undecodable.conformance.js';
import { vanishedHolders } from './vanished-holder.conformance.js';
import { findingTasks, waiting } from './wait.conformance.js';

/** Everything the contracts of a broker promise. */
export const deck: readonly Chapter[] = [
  enqueueing,
  enqueueingLater,
  enqueueingUnique,
  enqueueingGrouped,
  vanishedHolders,
  dequeueing,
  dequeueingKnown,
  extendingLeases,
  waiting,
  findingTasks,
  settling,
  fencing,
  settlingSuccess,
  retrying,
  requeueing,
  archiving,
  forwarding,
  earliestDue,
  recovering,
  expiringCompleted,
  collectingGroups,
  aggregating,
  finishingAggregations,
  dyingHalfway,
  undecodableRecords,
  losingTasks,
  maintenanceLease,
  presence,
  signaling,
  canceling,
  ticking,
  publishedSchedules,
  playing,
  brokerLife,
];

/** Every statement, as `<chapter>: <name>`. */
export function statementNames(): readonly string[] {
  return deck.flatMap(({ title, statements }) => statements.map(({ name }) => `${title}: ${name}`));
}
