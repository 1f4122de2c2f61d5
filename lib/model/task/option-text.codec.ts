import { readDuration } from '../time/duration.js';
import { formatGoDuration, formatUnixDate, parseUnixDate } from '../time/go-time-text.js';
import { goQuote, goUnquote } from './go-quote.js';
import { type EnqueueOptions, noOptions, type TaskOptions } from './task-options.js';

/**
 * Encodes options as a schedule publishes them for tools, each as `Name(argument)`, byte for byte as Go writes it
 * (C-74). Go reads `Header` only in versions after 0.26.0, and ignores `TaskID` and `Group`.
 *
 * @example
 * encodeOptions(layTaskOptions({ queue: 'low', timeout: '90s' }, ...)) // ['Queue("low")', 'Timeout(1m30s)']
 */
export function encodeOptions(options: TaskOptions): string[] {
  const texts: string[] = [];
  if (options.maxRetry !== undefined) texts.push(`MaxRetry(${options.maxRetry})`);
  if (options.queue !== undefined) texts.push(`Queue(${goQuote(options.queue)})`);
  if (options.taskId !== undefined) texts.push(`TaskID(${goQuote(options.taskId)})`);
  if (options.timeout !== undefined) texts.push(`Timeout(${formatGoDuration(options.timeout)})`);
  if (options.deadline !== undefined) texts.push(`Deadline(${formatUnixDate(options.deadline)})`);
  if (options.unique !== undefined) texts.push(`Unique(${formatGoDuration(options.unique)})`);
  if (options.processAt !== undefined) texts.push(`ProcessAt(${formatUnixDate(options.processAt)})`);
  if (options.processIn !== undefined) texts.push(`ProcessIn(${formatGoDuration(options.processIn)})`);
  if (options.retention !== undefined) texts.push(`Retention(${formatGoDuration(options.retention)})`);
  if (options.group !== undefined) texts.push(`Group(${goQuote(options.group)})`);
  for (const [key, value] of Object.entries(options.headers ?? {})) texts.push(`Header(${headerText(key, value)})`);
  return texts;
}

/**
 * Parses options from their texts, Go's and ours. Texts that cannot be parsed are ignored; of several of one kind the
 * last counts. Unlike Go, it also reads `TaskID` and `Group`, and arguments that contain `)` (D-C8).
 */
export function decodeOptions(texts: readonly string[]): TaskOptions {
  const options: Draft = { ...noOptions };
  for (const text of texts) {
    const open = text.indexOf('(');
    if (open < 0 || !text.endsWith(')')) continue;
    readOption(options, text.slice(0, open), text.slice(open + 1, -1));
  }
  return options;
}

type Draft = { -readonly [K in keyof EnqueueOptions]-?: TaskOptions[K] };

function readOption(options: Draft, name: string, argument: string): void {
  switch (name) {
    case 'MaxRetry':
      options.maxRetry = /^[+-]?\d+$/u.test(argument) ? Number(argument) : options.maxRetry;
      return;
    case 'Queue':
      options.queue = goUnquote(argument) ?? options.queue;
      return;
    case 'TaskID':
      options.taskId = goUnquote(argument) ?? options.taskId;
      return;
    case 'Group':
      options.group = goUnquote(argument) ?? options.group;
      return;
    case 'Timeout':
      options.timeout = readDuration(argument) ?? options.timeout;
      return;
    case 'Unique':
      options.unique = readDuration(argument) ?? options.unique;
      return;
    case 'Retention':
      options.retention = readDuration(argument) ?? options.retention;
      return;
    case 'ProcessIn':
      options.processIn = readDuration(argument) ?? options.processIn;
      return;
    case 'Deadline':
      options.deadline = parseUnixDate(argument) ?? options.deadline;
      return;
    case 'ProcessAt':
      options.processAt = parseUnixDate(argument) ?? options.processAt;
      return;
    case 'Header':
      readHeader(options, argument);
      return;
    default:
  }
}

function readHeader(options: Draft, argument: string): void {
  const pair = parseJson(argument);
  if (!Array.isArray(pair)) return;
  const [key, value] = pair as readonly unknown[];
  if (pair.length !== 2 || typeof key !== 'string' || typeof value !== 'string') return;
  options.headers = Object.assign(Object.create(null) as Record<string, string>, options.headers, { [key]: value });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Characters that Go's JSON escapes and JavaScript's does not.
const escapedByGo = /[<>&\u2028\u2029]/gu;

function headerText(key: string, value: string): string {
  return JSON.stringify([key, value]).replaceAll(
    escapedByGo,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
