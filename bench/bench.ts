// npm run bench: measures this library beside BullMQ and Go's asynq, on one Redis that it starts itself.
import { cpus } from 'node:os';
import { BenchRedis } from './bench-redis.js';
import type { SubjectName } from './case.js';
import { allCases } from './cases/all-cases.js';
import { readOptions } from './options.js';
import { reportOf, tableOf, targetTableOf } from './report.js';
import { type MeasuredSubject, runRounds } from './rounds.js';
import { GoSubject } from './subjects/go-subject.js';
import { buildGoProgram } from './support/go-program.js';
import { NodeSubject } from './subjects/node-subject.js';

const options = readOptions(process.argv.slice(2));
const say = (line: string): void => console.error(line);

const go = buildGoProgram();
if ('missing' in go) say(`asynq-go is skipped: ${go.missing}`);
const nodeSubjects = ['nestjs-asynq', 'engine', 'bullmq', 'embedded'].map((name) => new NodeSubject(name));
const goSubjects = 'program' in go ? [new GoSubject(go.program)] : [];
const subjects = new Map<SubjectName, MeasuredSubject>(
  [...nodeSubjects, ...goSubjects].map((subject) => [subject.name as SubjectName, subject]),
);

const redis = await BenchRedis.start();
try {
  say(`${await redis.version()}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`);
  const cases = allCases({ quick: options.quick, goProgram: 'program' in go ? go.program : undefined }).filter(
    ({ label }) => options.only?.has(label.case) ?? true,
  );
  const limitMs = options.quick ? 34_000 : Number.POSITIVE_INFINITY;
  const startProcess = (name: SubjectName): MeasuredSubject => new NodeSubject(name);
  const measured = await runRounds(cases, { redis, subjects, startProcess, rounds: options.rounds, limitMs, say });
  const report = reportOf(measured);
  console.log(options.json ? JSON.stringify(report) : `\n${tableOf(measured, report)}\n\n${targetTableOf(report)}`);
  const missed = report.targets.filter(({ isReached }) => !isReached);
  say(`${report.targets.length - missed.length} of ${report.targets.length} targets reached`);
  if (options.check && missed.length > 0) process.exitCode = 3;
} finally {
  for (const subject of nodeSubjects) subject.close();
  await redis.stop();
}
