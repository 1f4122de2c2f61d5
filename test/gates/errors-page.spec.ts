import { errorCodes } from '../../lib/model/errors/codes.js';
import { parseFolder, readText } from './source-tree.js';

const rows = [...readText('docs/errors.md').matchAll(/^\|\s*`(ASYNQ_\w+)`\s*\|\s*`(\w+)`\s*\|([^|]+)\|/gm)];

describe('docs/errors.md', () => {
  it('lists every error code with its meaning, and no other', () => {
    expect(Object.fromEntries(rows.map(([, code, , meaning]) => [code, meaning?.trim()]))).toEqual(errorCodes);
  });

  it('names the class that carries each code', () => {
    const classes = parseFolder('lib/model/errors')
      .flatMap((file) => [...file.text.matchAll(/class (\w+)[^{]*\{(?:(?!\n\}).)*?code = '(ASYNQ_\w+)'/gs)])
      .map(([, name, code]) => [code, name]);
    expect(Object.fromEntries(rows.map(([, code, name]) => [code, name]))).toEqual(Object.fromEntries(classes));
  });
});
