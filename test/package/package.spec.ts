import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { until } from '../support/until.js';
import { typesProgram } from './types-program.js';
import { compile, evaluate, packApps, type PackedApps, run, startProgram } from './packed-apps.js';

type Manifest = {
  readonly main: string;
  readonly homepage: string;
  readonly bugs: unknown;
  readonly repository: { readonly url: string };
  readonly types: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, Readonly<Record<string, string>>>>>>;
  readonly typesVersions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
};

let apps: PackedApps;
let files: readonly string[];
let manifest: Manifest;

beforeAll(async () => {
  apps = await packApps();
  files = filesIn(apps.packageFolder);
  manifest = JSON.parse(readFileSync(join(apps.packageFolder, 'package.json'), 'utf8')) as Manifest;
}, 240_000);

afterAll(() => apps?.remove());

describe('the tarball', () => {
  it('has every file that package.json names', () => {
    const named = [manifest.main, manifest.types, ...leaves(manifest.exports), ...leaves(manifest.typesVersions)];
    expect(named.filter((path) => !files.includes(path.replace('./', '')))).toEqual([]);
  });

  it('puts types before code in every condition, with separate types per format', () => {
    for (const conditions of Object.values(manifest.exports).filter((entry) => typeof entry !== 'string')) {
      expect(Object.keys(conditions)).toEqual(['module-sync', 'import', 'require']);
      for (const [condition, target] of Object.entries(conditions)) {
        expect(Object.keys(target)).toEqual(['types', 'default']);
        const folder = condition === 'require' ? './dist/cjs/' : './dist/';
        for (const path of Object.values(target)) {
          expect([folder, `${folder}testing/`]).toContain(dirname(path) + '/');
        }
      }
    }
  });

  it('names for old resolvers what it exports for new ones', () => {
    const subpaths = Object.entries(manifest.exports)
      .filter(([name, entry]) => name !== '.' && typeof entry !== 'string')
      .map(([name]) => name.replace('./', ''));
    expect(Object.keys(manifest.typesVersions['*'] ?? {})).toEqual(subpaths);
  });

  it('contains the build and the documents, but no sources or tests', () => {
    expect(files.filter((path) => !path.startsWith('dist/')).toSorted()).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'package.json']),
    );
    expect(files.filter((path) => /(^(lib|test|bench|sample|scripts)\/)|\.spec\.|[^d]\.ts$|\.lua$/.test(path))).toEqual(
      [],
    );
  });

  it('has no source map, and no file that names one', async () => {
    expect(files.filter((path) => path.endsWith('.map'))).toEqual([]);
    const scripts = files.filter((path) => path.endsWith('.js'));
    const texts = await Promise.all(scripts.map((path) => readFile(join(apps.packageFolder, path), 'utf8')));
    expect(scripts.filter((_, index) => texts[index]?.includes('sourceMappingURL'))).toEqual([]);
  });

  it('names its repository, and links to it from its README', async () => {
    expect(manifest.repository.url).toBe('git+https://github.com/nestjs-asynq/nestjs-asynq.git');
    const home = 'https://github.com/nestjs-asynq/nestjs-asynq';
    expect([manifest.homepage, manifest.bugs]).toEqual([`${home}#readme`, `${home}/issues`]);
    const readme = await readFile(join(apps.packageFolder, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !/^(https:|#)/.test(link))).toEqual([]);
  });

  it('marks the CommonJS copy as such', async () => {
    const marker = await readFile(join(apps.packageFolder, 'dist/cjs/package.json'), 'utf8');
    expect(JSON.parse(marker)).toEqual({ type: 'commonjs' });
  });

  it.each(['dist', 'dist/cjs'])('contains every Lua script in %s', async (folder) => {
    const scripts = readdirSync(join(__dirname, '../../lib/redis/scripts')).filter((name) => name.endsWith('.lua'));
    const text = await readFile(join(apps.packageFolder, folder, 'redis/generated/script-sources.js'), 'utf8');
    expect(scripts.filter((name) => !text.includes(JSON.stringify(name)) && !text.includes(`'${name}'`))).toEqual([]);
    expect(text).toContain('redis.call');
  });

  it('imports only files that it contains', () => {
    const missing = files
      .filter((path) => path.endsWith('.js') || path.endsWith('.d.ts'))
      .flatMap((path) => relativeImports(join(apps.packageFolder, path)).map((target) => [path, target] as const))
      .filter(([path, target]) => !files.includes(join(dirname(path), target)));
    expect(missing).toEqual([]);
  });
});

describe('plain Node without Nest', () => {
  it('has no Nest', async () => {
    const text = "try { require.resolve('@nestjs/common') } catch (error) { console.log(error.code) }";
    expect(await evaluate(apps.folderOf('plain'), { as: 'script', text })).toBe('MODULE_NOT_FOUND');
  });

  it.each([
    ['module', "import { AsynqClient } from 'nestjs-asynq/core'; console.log(AsynqClient.name)"],
    ['script', "const { AsynqClient } = require('nestjs-asynq/core'); console.log(AsynqClient.name)"],
    [
      'script',
      "const { AsynqClient } = require('./node_modules/nestjs-asynq/dist/cjs/core.js'); console.log(AsynqClient.name)",
    ],
  ] as const)('loads core from a %s: %s', async (as, text) => {
    expect(await evaluate(apps.folderOf('plain'), { as, text })).toBe('AsynqClient');
  });

  it('loads one copy, however it is loaded', async () => {
    const text =
      "import('nestjs-asynq/core').then((m) => console.log(m.AsynqClient === require('nestjs-asynq/core').AsynqClient))";
    expect(await evaluate(apps.folderOf('plain'), { as: 'script', text })).toBe('true');
  });
});

describe.each(['nest11', 'nest12'] as const)('an application on %s', (app) => {
  const queue = uniqueQueue(app);
  const folder = (): string => apps.folderOf(app);
  const settings = { cwd: '', env: { ASYNQ_REDIS_URL: sharedRedisUrl(), QUEUE: queue } };

  beforeAll(async () => {
    const faults = await compile(
      join(folder(), 'tsconfig.json'),
      app === 'nest11' ? 'of the app' : 'of the repository',
    );
    if (faults !== '') throw new Error(faults);
  }, 120_000);

  afterAll(async () => {
    const redis = rawClient();
    await deleteQueues(redis, [queue]);
    redis.disconnect();
  });

  it('imports and requires the test kit, as one copy', async () => {
    const entry = 'nestjs-asynq/testing';
    const text = `import('${entry}').then((m) => console.log(m.AsynqTestKit === require('${entry}').AsynqTestKit, typeof m.asynqMatchers.toHaveEnqueued))`;
    expect(await evaluate(folder(), { as: 'script', text })).toBe('true function');
  });

  it.each(['nestjs-asynq', 'nestjs-asynq/core'])('imports and requires %s, as one copy', async (entry) => {
    const text = `import('${entry}').then((m) => console.log(m.Task === require('${entry}').Task, typeof m.Task))`;
    expect(await evaluate(folder(), { as: 'script', text })).toBe('true function');
  });

  it('loads the CommonJS copy, which old resolvers take', async () => {
    const text = "console.log(typeof require('./node_modules/nestjs-asynq/dist/cjs/index.js').AsynqModule.forRoot)";
    expect(await evaluate(folder(), { as: 'script', text })).toBe('function');
  });

  it('enqueues, handles tasks with all features of Nest, drains and exits', async () => {
    const output = await run(process.execPath, ['dist/main.js'], { ...settings, cwd: folder() });
    const seen = JSON.parse(/^SEEN (.*)$/m.exec(output)?.[1] ?? output) as { readonly ids: Record<string, string> };
    expect(seen).toEqual({
      bootstrapped: 2,
      guardedType: 'asynq',
      requestIsTheTask: true,
      resourceIsOpen: true,
      ids: expect.any(Object) as unknown,
    });
    const redis = rawClient();
    const results = await Promise.all(
      ['greeted', 'counted', 'forgiven'].map((name) => redis.hget(`asynq:{${queue}}:t:${seen.ids[name]}`, 'result')),
    );
    redis.disconnect();
    expect(results.map((result) => JSON.parse(String(result)) as unknown)).toEqual([
      'hello Ada',
      '42 count!',
      'asynq forgave too much',
    ]);
  });

  it.each([
    ['none is asked for', { FILTER: 'everything' }, []],
    ['its filter that catches everything is asked for', { FILTER: 'everything', ASKED_FOR: 'filters' }, []],
    [
      'its error reporter is asked for',
      { FILTER: 'reporter', ASKED_FOR: 'filters' },
      ['failed with 0 retries', 'failed with 1 retries'],
    ],
  ] as const)(
    'runs tasks with their real errors beside global enhancers for HTTP: %s',
    async (_what, env, reported) => {
      const output = await run(process.execPath, ['dist/enhancers.js'], {
        cwd: folder(),
        env: { ...settings.env, ...env },
      });
      expect(JSON.parse(/^SEEN (.*)$/m.exec(output)?.[1] ?? output)).toEqual({
        outcomes: [
          'completed succeeds',
          'retry RangeError: failed with 0 retries',
          'archived RangeError: failed with 1 retries',
        ],
        reported,
      });
    },
  );

  it('ends on SIGTERM once shutdownTimeout has passed, with unfinished tasks back in their queue', async () => {
    const hanging = startProgram(folder(), { ...settings.env, MODE: 'hang', SHUTDOWN_TIMEOUT: '200ms' });
    await hanging.said('HANGING');
    hanging.signal('SIGTERM');
    expect(await hanging.ended).toBe('SIGTERM');
    const redis = rawClient();
    expect(await redis.llen(`asynq:{${queue}}:pending`)).toBe(1);
    await redis.del(`asynq:{${queue}}:pending`);
    redis.disconnect();
  });

  it('ends at once on the second Ctrl-C', async () => {
    const hanging = startProgram(folder(), { ...settings.env, MODE: 'hang', SHUTDOWN_TIMEOUT: '5m' });
    await hanging.said('HANGING');
    hanging.signal('SIGINT');
    await until('it has ended', () => {
      hanging.signal('SIGINT');
      return hanging.hasEnded();
    });
    expect(await hanging.ended).toBe(130);
  });
});

describe('types', () => {
  // One checks every declaration file in full, which takes time; the others resolve them.
  it.each([
    ['nodenext', 'of the repository', { module: 'nodenext', skipLibCheck: false }],
    ['nodenext from CommonJS', 'of the repository', { module: 'nodenext' }],
    [
      'bundler',
      'of the repository',
      { module: 'preserve', moduleResolution: 'bundler', exactOptionalPropertyTypes: true },
    ],
    ['node10', 'of nest11', { module: 'commonjs', moduleResolution: 'node10' }],
    ['node16 from CommonJS', 'of nest11', { module: 'node16', exactOptionalPropertyTypes: true }],
    ['nodenext by the newest', 'of nest12', { module: 'nodenext', exactOptionalPropertyTypes: true }],
  ] as const)(
    'resolve under %s, with the compiler %s',
    async (name, compiler, options) => {
      const folder = apps.folderOf(compiler === 'of nest12' ? 'nest12' : 'nest11');
      const file = `types-${name.replaceAll(' ', '-')}.${name.endsWith('CommonJS') ? 'cts' : 'ts'}`;
      await writeFile(join(folder, file), typesProgram({ exact: 'exactOptionalPropertyTypes' in options }));
      const project = join(folder, `tsconfig.${file}.json`);
      const compilerOptions = { ...strict, ...options };
      await writeFile(project, JSON.stringify({ compilerOptions, files: [file] }));
      expect(await compile(project, compiler === 'of the repository' ? compiler : 'of the app')).toBe('');
    },
    120_000,
  );
});

const strict = {
  strict: true,
  noEmit: true,
  target: 'ES2023',
  skipLibCheck: true,
  types: ['node'],
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('node_modules/'));
}

function leaves(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}

function relativeImports(path: string): readonly string[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/(?:from|import|require)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g)].map(
    ([, target]) => target ?? '',
  );
}
