import { inspect, type InspectOptionsStylized } from 'node:util';
import { decodePayload, type PayloadCodec } from './payload.codec.js';
import type { Headers } from './task-message.js';

/** The arguments of a `util.inspect.custom` method. */
export interface Inspection {
  /** Levels that may still be shown; `null` for all. */
  readonly depth: number | null;
  readonly options: InspectOptionsStylized;
}

/** Formats a payload or result for people: decoded, or as a number of bytes. Never throws. */
export function showDecoded(bytes: Uint8Array, codec: PayloadCodec): unknown {
  try {
    return showValueOf(decodePayload(bytes, codec));
  } catch {
    return `<${bytes.length} bytes that do not decode>`;
  }
}

/** Formats a decoded value for people: of bytes only the number is shown. */
export function showValueOf(value: unknown): unknown {
  return value instanceof Uint8Array ? `<${value.length} bytes>` : value;
}

/** Formats headers for people; `undefined` if there are none. */
export function showHeaders(headers: Headers | undefined): object | undefined {
  return headers === undefined || Object.keys(headers).length === 0 ? undefined : { ...headers };
}

/** Formats an object for `util.inspect`: its name and the fields that are set. */
export function inspectAs(name: string, fields: object, { depth, options }: Inspection): string {
  if (depth !== null && depth < 0) return options.stylize(`[${name}]`, 'special');
  const shown = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return `${name} ${inspect(shown, { ...options, depth })}`;
}
