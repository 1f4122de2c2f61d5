import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import type { Script } from '../../lib/redis/script.js';
import { scriptSources } from '../../lib/redis/generated/script-sources.js';
import { startRedis } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { now, owner, runTaken } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

const redisFolder = join(process.cwd(), 'lib/redis');
const scriptFolder = join(redisFolder, 'scripts');
const redisType = /\b(?:string|list|set|zset|hash)\b/;

interface Header {
  readonly keys: readonly string[];
  readonly keyTypes: readonly string[];
  readonly args: readonly string[];
  readonly replies: readonly string[];
}

/** Reads the contract at the top of a Lua file. */
function readHeader(text: string): Header {
  const lines = text.split('\n');
  const header = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('--')),
  );
  const named = (table: string): readonly RegExpExecArray[] => {
    const line = new RegExp(`^-- ${table}\\[(\\d+)(\\.\\.)?\\]\\s+(\\w+)(.*)`);
    return header.map((text) => line.exec(text)).filter((match) => match !== null);
  };
  const names = (table: string): string[] =>
    named(table).map(([, index, more, name], at) => {
      if (Number(index) !== at + 1) throw new Error(`${table}[${index}] stands at place ${at + 1}`);
      return more === undefined ? (name ?? '') : `...${name}`;
    });
  const reply = header.slice(
    header.findIndex((line) => line.startsWith('-- Reply')),
    header.findIndex((line) => line.startsWith('-- Cost')),
  );
  return {
    keys: names('KEYS'),
    keyTypes: named('KEYS').map(([, , , , type]) => type ?? ''),
    args: names('ARGV'),
    replies: reply.flatMap((line) => /^--(?: Reply)?\s+([A-Z][A-Z_]+)(?:\s|$)/.exec(line)?.[1] ?? []),
  };
}

function isScript(value: unknown): value is Script {
  return typeof value === 'object' && value !== null && 'sha' in value && 'file' in value;
}

const files = readdirSync(scriptFolder).filter((name) => name.endsWith('.lua'));
let declared: readonly Script[] = [];

beforeAll(async () => {
  const modules = readdirSync(redisFolder).filter((name) => name.endsWith('.ts'));
  const exported = await Promise.all(modules.map((name) => import(join(redisFolder, name))));
  declared = exported.flatMap((module) => Object.values(module as object)).filter(isScript);
});

describe('scripts', () => {
  it.each(files)('%s says the same as its declaration', (file) => {
    const scripts = declared.filter((script) => script.file === file);
    expect(scripts).toHaveLength(1);
    const { keys, keyTypes, args, replies } = readHeader(readFileSync(join(scriptFolder, file), 'utf8'));
    expect(keys).toEqual(scripts[0]?.keys);
    expect(args).toEqual(scripts[0]?.args);
    expect(replies).toEqual(scripts[0]?.replies);
    for (const type of keyTypes) expect(type).toMatch(redisType);
  });

  it.each(files)(
    '%s contains no key or channel name, and uses neither random numbers nor the server’s time',
    (file) => {
      const { source } = scriptSources[file as keyof typeof scriptSources];
      expect(source).not.toMatch(/asynq/);
      // The fence of a settlement alone asks for the time: to look more closely when it is late, see leave-active.
      expect(source.match(/'TIME'/g) ?? []).toHaveLength(source.includes('local function leaveActive') ? 1 : 0);
      expect(source).not.toMatch(/math\.random|'RANDOMKEY'|'KEYS'|'SCAN'/);
    },
  );

  it('have their includes where they are expected', () => {
    const includes = readdirSync(join(scriptFolder, 'include')).map((name) => join('include', name));
    for (const file of [...files, ...includes]) {
      for (const [, name] of readFileSync(join(scriptFolder, file), 'utf8').matchAll(/^ *-- include: ([\w-]+)$/gm)) {
        expect([file, existsSync(join(scriptFolder, 'include', `${name}.lua`))]).toEqual([file, true]);
      }
    }
  });

  it('P-18 access only keys of their own queue', async () => {
    const queue = uniqueQueue('fenced');
    const fence = `default on nopass resetkeys ~asynq:{${queue}}:* ~asynq:queues resetchannels &asynq:* +@all`;
    const server = await startRedis({ acl: [fence] });
    const tasks = QueueUnderTest.open({ url: server.url, queue });
    const uniqueKey = `asynq:{${queue}}:unique:email:send:`;
    const places = [
      { kind: 'pending' },
      { kind: 'scheduled', processAt: addMs(now, ms(5_000)) },
      { kind: 'aggregating' },
    ] as const;
    const wanted = places.map((place, i) => ({
      id: `id-${i}`,
      place,
      group: 'g',
      uniqueKey: `${uniqueKey}${i}`,
      uniqueForSeconds: 60,
    }));
    expect(await tasks.enqueue(...wanted)).toEqual(['enqueued', 'enqueued', 'enqueued']);
    expect(await tasks.settle(...(await tasks.dequeue()).messages.map(doneOf))).toEqual(['settled']);
    for (const id of ['id-1', 'id-2']) {
      expect(await tasks.broker.presence.cancel({ queue, taskId: id, outcome: 'delete', now })).toBe('deleted');
    }
    const messages = await tasks.running(...allKinds.map((id) => ({ id })));
    await tasks.broker.work.writeResult({ queue, owner, ...runTaken(), taskId: 'done', result: Buffer.from('r') });
    const settlements = messages.map((message, i) => ({ ...filler, kind: allKinds[i], message }) as Settlement);
    expect(new Set(await tasks.settle(...settlements))).toEqual(new Set(['settled']));
    await tasks.close();
    await server.stop();
  });
});

const doneOf = (message: Settlement['message']): Settlement => ({ kind: 'done', message });
const allKinds = ['done', 'complete', 'retry', 'archive', 'delete', 'requeue', 'snooze'] as const;
const filler = {
  expiresAt: addMs(now, ms(60_000)),
  result: undefined,
  retryAt: addMs(now, ms(5_000)),
  counts: 'as-failure',
  until: addMs(now, ms(5_000)),
  first: ms(1_000),
  longest: ms(5_000),
};
