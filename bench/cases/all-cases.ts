import type { Case, CaseScale } from '../case.js';
import { extrasCases } from './extras.js';
import { fleetCases } from './fleet.js';
import { idleCases } from './idle.js';
import { payloadCases } from './payload.js';
import { pickupCases } from './pickup.js';
import { queueCases } from './queues.js';
import { throughputCases } from './throughput.js';
import { waitingCases } from './waiting.js';

/** Every case, in the order of the report. */
export function allCases(scale: CaseScale): readonly Case[] {
  return [
    ...throughputCases(scale),
    ...pickupCases(scale),
    ...extrasCases(scale),
    ...fleetCases(scale),
    ...idleCases(scale),
    ...waitingCases(scale),
    ...queueCases(scale),
    ...payloadCases(scale),
  ].map((one) => ({
    ...one,
    subjects: one.subjects.filter((name) => name !== 'asynq-go' || scale.goProgram !== undefined),
  }));
}
