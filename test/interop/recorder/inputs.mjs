// What the golden files are recorded from: fixed ids, payloads and instants, and no map with more than one key,
// whose order Go draws anew each time.

const bytes = (value) => Buffer.from(value).toString('base64');
const allBytes = bytes(Uint8Array.from({ length: 256 }, (_, byte) => byte));
const sent = {
  type: 'email:send',
  payload: bytes('{"u":1}'),
  id: 't-1',
  queue: 'default',
  retry: 25,
  timeout: '1800',
};
const alive = { host: 'h', pid: 42, server_id: 's', concurrency: 10, status: 'active' };
const running = { host: 'h', pid: 42, server_id: 's', task_id: 't-1', task_type: 'email:send', queue: 'default' };
const instant = '2023-11-14T22:13:20Z';
const later = '2023-11-14T22:43:20.125Z';
const epoch = '1970-01-01T00:00:00Z';
const never = '0001-01-01T00:00:00Z';

/** Records as Go's own message types encode them: record name -> case -> fields in protobuf's JSON mapping. */
export const records = {
  TaskMessage: {
    'a task as a client sends it': sent,
    'a task that failed once': { ...sent, retried: 1, error_msg: 'boom', last_failed_at: '1700000000' },
    'every field at once': {
      ...sent,
      retried: 3,
      error_msg: 'boom',
      deadline: '1700003600',
      unique_key: 'asynq:{default}:unique:email:send:cfeb4906248f18cb94f202711c2a34cf',
      last_failed_at: '1700000000',
      retention: '3600',
      completed_at: '1700000042',
      group_key: 'g',
      headers: { k: 'v' },
    },
    'nothing but defaults': {},
    'only a type': { type: 'x' },
    'no payload': { ...sent, payload: '' },
    'a payload of every byte': { ...sent, payload: allBytes },
    'no retries': { ...sent, retry: 0 },
    'negative numbers': { type: 'x', retry: -1, timeout: '-1', deadline: '-62135596800' },
    'the largest 32-bit numbers': { type: 'x', retry: 2147483647, retried: 2147483647 },
    'the smallest 32-bit numbers': { type: 'x', retry: -2147483648, retried: -2147483648 },
    'instants beyond 32 bits': { type: 'x', deadline: '253402300799', last_failed_at: '4294967296' },
    'the largest number JavaScript holds exactly': { type: 'x', retention: '9007199254740991' },
    'text of many scripts': {
      type: 'почта:send',
      id: '任务-1',
      queue: 'šílený 🐎',
      group_key: 'नमूना',
      error_msg: '💥',
    },
    'control characters': { type: 'a\u0000b\nc', id: '\u0007', queue: ' \t', error_msg: 'line 1\r\nline 2' },
    'braces in names': { type: 'x', queue: 'a{b}c', unique_key: 'asynq:{a{b}c}:unique:x:' },
    'text of 127, 128 and 300 bytes': { type: 't'.repeat(127), id: 'i'.repeat(128), error_msg: 'e'.repeat(300) },
    'an empty header': { type: 'x', id: 'i', queue: 'q', headers: { '': '' } },
    'a header without value': { type: 'x', headers: { key: '' } },
    'a header without key': { type: 'x', headers: { '': 'value' } },
    'a header of ours': { type: 'x', headers: { 'nest-origin': 'signup' } },
    'a header named like a property of every object': { type: 'x', headers: { ['__proto__']: 'a' } },
    'a long header in Unicode': { type: 'x', headers: { ключ: 'значение '.repeat(20) } },
  },
  ServerInfo: {
    'a busy server': {
      ...alive,
      queues: { default: 1 },
      strict_priority: true,
      start_time: instant,
      active_worker_count: 1,
    },
    'a new server without queues': { ...alive, status: 'new', start_time: later },
    'a stopped server': { ...alive, status: 'stopped', queues: { 'low 🐌': 2147483647 }, start_time: instant },
    'a closed server since the epoch': { ...alive, status: 'closed', queues: { default: 1 }, start_time: epoch },
  },
  WorkerInfo: {
    'a running task': { ...running, task_payload: sent.payload, start_time: instant, deadline: later },
    'a running task without payload': { ...running, start_time: later, deadline: instant },
    'instants at and before the epoch': { ...running, start_time: epoch, deadline: '1969-12-31T23:59:59.500Z' },
  },
  SchedulerEntry: {
    'an entry that never fired': {
      id: 'e1',
      spec: '@every 30s',
      task_type: 'x',
      enqueue_options: ['Queue("low")', 'MaxRetry(3)'],
      next_enqueue_time: instant,
      prev_enqueue_time: never,
    },
    'an entry that fired': {
      id: 'e2',
      spec: 'CRON_TZ=Asia/Ho_Chi_Minh 0 2 * * *',
      task_type: 'backup',
      task_payload: allBytes,
      next_enqueue_time: later,
      prev_enqueue_time: instant,
    },
  },
  SchedulerEnqueueEvent: {
    'an enqueue between two seconds': { task_id: 't-1', enqueue_time: '2023-11-14T22:13:20.500Z' },
    'an enqueue at the epoch': { task_id: 'a', enqueue_time: epoch },
  },
};

const far = Date.UTC(2100, 0, 1);

/** Enqueues through Go's client; what they leave in Redis is recorded. Durations and instants in milliseconds. */
export const enqueues = {
  'no options': { type: 'email:send', payload: '{"u":1}' },
  'no payload': { type: 'email:send', payload: null },
  'a payload that is empty': { type: 'email:send', payload: '' },
  'a header': { type: 'email:send', payload: '{"u":1}', headers: { k: 'v' } },
  'no headers at all': { type: 'email:send', payload: '{}', headers: {} },
  'max retry': { type: 'x', payload: '1', options: { maxRetry: 3 } },
  'no retries': { type: 'x', payload: '1', options: { maxRetry: 0 } },
  timeout: { type: 'x', payload: '1', options: { timeout: 20_000 } },
  deadline: { type: 'x', payload: '1', options: { deadline: far } },
  'timeout and deadline': { type: 'x', payload: '1', options: { timeout: 20_000, deadline: far } },
  'timeout of zero with a deadline': { type: 'x', payload: '1', options: { timeout: 0, deadline: far } },
  'timeout of zero': { type: 'x', payload: '1', options: { timeout: 0 } },
  retention: { type: 'x', payload: '1', options: { retention: 86_400_000 } },
  unique: { type: 'email:send', payload: '{"u":1}', options: { unique: 3_600_000 } },
  'unique with a header': {
    type: 'email:send',
    payload: '{"u":1}',
    headers: { k: 'v' },
    options: { unique: 3_600_000 },
  },
  'process at': { type: 'x', payload: '1', options: { processAt: far } },
  'process at, unique': { type: 'x', payload: '1', options: { processAt: far, unique: 60_000 } },
  'process at, with a group': { type: 'x', payload: '1', options: { processAt: far, group: 'g' } },
  group: { type: 'x', payload: '1', options: { group: 'g' } },
  'group with colons, unique': { type: 'x', payload: '1', options: { group: 'a:b:c', unique: 60_000 } },
  'every option at once': {
    type: 'x',
    payload: '1',
    headers: { 'nest-a': 'b' },
    options: {
      maxRetry: 7,
      timeout: 90_000,
      deadline: far,
      retention: 60_000,
      processAt: far,
      unique: 60_000,
      group: 'g',
    },
  },
};

/** Options whose text is recorded; durations and instants in milliseconds. */
export const options = [
  ['maxRetry', 3],
  ['maxRetry', 0],
  ['queue', 'low'],
  ['queue', 'quotes " and \\ backslashes'],
  ['queue', 'controls \u0000 \u0007 \b \t \n \v \f \r \u001b \u007f \u0080 \u00a0 \u00ad'],
  ['queue', 'Ünïcödé 任务 🐎 \u{1f469}\u200d\u{1f4bb} \u2028 \ufeff \ufffd \u{e0001}'],
  ['taskId', 'order:42'],
  ['group', 'a:(b)'],
  ['timeout', 0],
  ['timeout', 1],
  ['timeout', 250],
  ['timeout', 1_500],
  ['timeout', 90_000],
  ['timeout', 3_600_000],
  ['unique', 86_400_000],
  ['unique', 7_380_000],
  ['processIn', -90_000],
  ['retention', 60_001],
  ['deadline', Date.UTC(2026, 0, 2, 3, 4, 5)],
  ['deadline', Date.UTC(2026, 11, 31, 23, 59, 59, 999)],
  ['processAt', Date.UTC(1970, 0, 1)],
  ['processAt', Date.UTC(9999, 11, 31)],
];
