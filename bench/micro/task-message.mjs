// What the hand-written codec of task messages costs, beside a plain one that puts pieces together:
//   npm run build && node bench/micro/task-message.mjs
import { randomUUID } from 'node:crypto';
import { decodeTaskMessage, encodeTaskMessage } from '../../dist/model/task/task-message.codec.js';

const messages = Array.from({ length: 1_000 }, (_, index) => ({
  type: 'email:send',
  payload: Buffer.from(JSON.stringify({ userId: index, note: 'x'.repeat(80) })),
  id: randomUUID(),
  queue: 'default',
  maxRetry: 25,
  retried: 0,
  errorMessage: '',
  timeoutSeconds: 1_800,
  deadlineSeconds: 0,
  uniqueKey: '',
  lastFailedAtSeconds: 0,
  retentionSeconds: 0,
  completedAtSeconds: 0,
  group: '',
  headers: undefined,
  unknownFields: undefined,
}));
const encoded = messages.map(encodeTaskMessage);

const varint = (value) => {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
};
const text = (tag, value) => {
  const bytes = Buffer.from(value);
  return [Buffer.from([tag]), varint(bytes.length), bytes];
};
const number = (tag, value) => [Buffer.from([tag]), varint(value)];

/** The same bytes, written the plain way. */
function plainEncode(message) {
  return Buffer.concat([
    ...text(0x0a, message.type),
    ...text(0x12, message.payload),
    ...text(0x1a, message.id),
    ...text(0x22, message.queue),
    ...number(0x28, message.maxRetry),
    ...number(0x40, message.timeoutSeconds),
  ]);
}

function measure(name, run) {
  let best = Infinity;
  for (let round = 0; round < 10; round += 1) {
    const start = performance.now();
    for (let repeat = 0; repeat < 50; repeat += 1) run();
    best = Math.min(best, ((performance.now() - start) * 1e6) / 50 / messages.length);
  }
  console.log(`${name.padEnd(16)} ${best.toFixed(0).padStart(6)} ns per message of ${encoded[0].length} bytes`);
}

if (!plainEncode(messages[0]).equals(encoded[0])) throw new Error('the two codecs disagree');
measure('encode', () => messages.forEach((message) => encodeTaskMessage(message)));
measure('encode, plain', () => messages.forEach((message) => plainEncode(message)));
measure('decode', () => encoded.forEach((bytes) => decodeTaskMessage(bytes)));
