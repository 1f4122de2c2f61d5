import ts from 'typescript';
import { resolveSchedulerOptions } from '../../lib/engine/scheduler/scheduler-options.js';
import { resolveServer } from '../../lib/engine/server/server-options.js';
import { InvalidOptionError } from '../../lib/model/errors/option-errors.js';
import { unknownOption } from '../../lib/model/options/check.js';
import { layTaskOptions, noOptions } from '../../lib/model/task/task-options.js';
import { nodesOf, parseFolder, readText } from './source-tree.js';

/** What may be given at a place, from the error for something else. */
function optionsOf(give: (options: object) => unknown): readonly string[] {
  try {
    give({ zzzzzzzz: 1 });
  } catch (error) {
    if (error instanceof InvalidOptionError) return error.allowed.replace('one of ', '').split(', ');
  }
  throw new Error('an option that does not exist must be refused');
}

const task = optionsOf((given) => layTaskOptions(given, { path: 'x', under: noOptions }));
const server = optionsOf((given) => resolveServer(given, 'AsynqServer:'));
const scheduler = optionsOf((given) => resolveSchedulerOptions(given));

/** The tables of options: the first column is theirs, the second ours. */
const tables: readonly { readonly page: string; readonly heading: string; readonly options: readonly string[] }[] = [
  { page: 'docs/coming-from-bullmq.md', heading: 'Options of a job', options: task },
  { page: 'docs/coming-from-bullmq.md', heading: 'Options of queues and workers', options: server },
  { page: 'docs/coming-from-asynq-go.md', heading: 'Options of a task', options: task },
  { page: 'docs/coming-from-asynq-go.md', heading: 'Configuration', options: server },
  {
    page: 'docs/coming-from-asynq-go.md',
    heading: 'Schedulers and periodic tasks',
    options: [...scheduler, 'provider', 'syncInterval', 'spec', 'task', 'options'],
  },
  {
    page: 'docs/scheduling.md',
    heading: 'Coming from `@nestjs/schedule`',
    options: ['id', 'enabled', 'timeZone', 'overlap'],
  },
];

const rows = tables.flatMap(({ page, heading, options }) => {
  const [, section = ''] = readText(page).split(new RegExp(`^#+ ${heading}$`, 'm'));
  const lines = section.split(/^#/m)[0]?.match(/^\|.*\|$/gm) ?? [];
  return lines.slice(2).flatMap((line) => {
    const [theirs = '', ours = '', remarks = ''] = line.split('|').slice(1);
    return codesIn(theirs).map((name) => ({ page, name, ours: codesIn(ours), text: `${ours}${remarks}`, options }));
  });
});

describe('the pages for users of other libraries', () => {
  it.each(rows)('explain $name on $page as its refusal does', ({ name, ours, text, options }) => {
    if (options.includes(name)) return;
    const { message } = unknownOption(`x: ${name}`, options);
    if (/\bnone\b|@Cron/.test(text)) expect(message).toContain('there is no equivalent');
    else expect(message).toMatch(new RegExp(`(?:did you mean|use) (?:${ours.join('|')})\\b`));
  });

  it('name every option of others that has an entry', () => {
    const table = parseFolder('lib/model/options')
      .flatMap(({ ast }) => [...nodesOf(ast)])
      .filter((node) => ts.isVariableDeclaration(node) && node.name.getText() === 'foreignNames')
      .flatMap((node) => ((node as ts.VariableDeclaration).initializer as ts.ObjectLiteralExpression).properties);
    const keys = table.map((one) => one.name?.getText() ?? '');
    expect(keys.length).toBeGreaterThan(20);
    const named = new Set(tables.flatMap(({ page }) => codesIn(readText(page))).map((name) => name.toLowerCase()));
    expect(keys.filter((key) => !named.has(key))).toEqual([]);
  });
});

/** The option in each piece of code: `server.retryDelay(n)` is `retryDelay`, `attempts: 4` is `attempts`. */
function codesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => {
    const path = /^[\w.]+/.exec(code)?.[0];
    return path === undefined ? [] : [path.split('.').at(-1) ?? ''];
  });
}
