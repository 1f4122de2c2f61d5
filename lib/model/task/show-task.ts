import { inspect, type InspectOptionsStylized } from 'node:util';
import { decodePayload, type PayloadCodec } from './payload.codec.js';
import type { Headers } from './task-message.js';

/** What a `util.inspect.custom` method is given. */
export interface Inspection {
  /** Levels that may still be shown; `null` for all. */
  readonly depth: number | null;
  readonly options: InspectOptionsStylized;
}

/** A payload or result as people are shown it: decoded, or how many bytes there are. Never throws. */
export function showDecoded(bytes: Uint8Array, codec: PayloadCodec): unknown {
  try {
    return showValueOf(decodePayload(bytes, codec));
  } catch {
    return `<${bytes.length} bytes that do not decode>`;
  }
}

/** A decoded value as people are shown it: bytes are counted. */
export function showValueOf(value: unknown): unknown {
  return value instanceof Uint8Array ? `<${value.length} bytes>` : value;
}

/** Headers as people are shown them; `undefined` when there are none. */
export function showHeaders(headers: Headers | undefined): object | undefined {
  return headers === undefined || Object.keys(headers).length === 0 ? undefined : { ...headers };
}

/** What `util.inspect` shows: the name, and the fields that are there. */
export function inspectAs(name: string, fields: object, { depth, options }: Inspection): string {
  if (depth !== null && depth < 0) return options.stylize(`[${name}]`, 'special');
  const shown = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return `${name} ${inspect(shown, { ...options, depth })}`;
}
