import ts from 'typescript';
import { nodesOf, parseFolder, readText } from './source-tree.js';

describe('docs/handlers.md', () => {
  it('lists every event', () => {
    const rows = readText('docs/handlers.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const named = new Set(
      rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name)),
    );
    expect(eventNames()).toEqual(expect.arrayContaining(['completed', 'brokerDown', 'scheduleMissed']));
    expect(eventNames().filter((name) => !named.has(name))).toEqual([]);
  });
});

/** The members of the interfaces that `EngineEvents` is made of. */
function eventNames(): readonly string[] {
  const source = parseFolder('lib/engine').find(({ path }) => path === 'lib/engine/engine-events.ts');
  return [...nodesOf(source?.ast as ts.Node)]
    .filter(ts.isInterfaceDeclaration)
    .filter(({ name }) => ['TaskEvents', 'ServerEvents', 'ScheduleEvents'].includes(name.text))
    .flatMap(({ members }) => members.map((member) => member.name?.getText() ?? ''));
}
