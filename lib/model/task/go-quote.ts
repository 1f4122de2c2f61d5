const shortEscapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};
const escaped = new Map(Object.entries(shortEscapes).map(([character, escape]) => [escape.slice(1), character]));
const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const quotedText = /^"(?:[^"\\\n]|\\(?:[abfnrtv"\\]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}))*"$/u;
const escapes = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([abfnrtv"\\]))/gu;

/** Formats text as Go's double-quoted literal: printable characters stay, the rest is escaped (C-74). */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const character of text)
    quoted += shortEscapes[character] ?? (printable.test(character) ? character : hex(character));
  return `${quoted}"`;
}

/** Parses what {@link goQuote} writes; `undefined` for anything else, including escaped bytes above 7F. */
export function goUnquote(quoted: string): string | undefined {
  if (!quotedText.test(quoted)) return undefined;
  let readable = true;
  const text = quoted
    .slice(1, -1)
    .replaceAll(escapes, (_all, byte?: string, short?: string, long?: string, octal?: string, letter?: string) => {
      if (letter !== undefined) return escaped.get(letter) ?? '';
      const code = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
      const isByte = byte !== undefined || octal !== undefined;
      const isSurrogate = code >= 0xd800 && code <= 0xdfff;
      if (code > 0x10ffff || isSurrogate || (isByte && code > 0x7f)) readable = false;
      return readable ? String.fromCodePoint(code) : '';
    });
  return readable ? text : undefined;
}

function hex(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
