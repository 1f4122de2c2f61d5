import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeOptions, decodeOptions } from '../../lib/model/task/option-text.codec.js';
import { noOptions, type TaskOptions } from '../../lib/model/task/task-options.js';

interface GoldenOption {
  readonly kind: keyof TaskOptions;
  readonly value: string | number;
  readonly text: string;
}

const golden = JSON.parse(readFileSync(join(__dirname, 'golden', 'option-text.json'), 'utf8')) as GoldenOption[];

// The file holds what Go printed for these options; recorder/record.mjs records it.
describe.each(golden)('P-17 the option $text', ({ kind, value, text }) => {
  const options: TaskOptions = { ...noOptions, [kind]: value };

  it('C-74 is written as Go writes it', () => {
    expect(encodeOptions(options)).toEqual([text]);
  });

  it('C-75 is read back', () => {
    // Instants are written to the second.
    const kept = kind === 'deadline' || kind === 'processAt' ? Math.floor(Number(value) / 1_000) * 1_000 : value;
    expect(decodeOptions([text])).toEqual({ ...noOptions, [kind]: kept });
  });
});
