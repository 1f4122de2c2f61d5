import { readFileSync } from 'node:fs';
import { eventNames } from '../../lib/engine/engine-events.js';

describe('docs/handlers.md', () => {
  it('lists every event', () => {
    const page = readFileSync('docs/handlers.md', 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const named = new Set(
      rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name)),
    );
    expect(eventNames.filter((name) => !named.has(name))).toEqual([]);
  });
});
