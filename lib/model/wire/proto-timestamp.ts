import { epochMs, type EpochMs } from '../time/duration.js';
import type { ProtoReader } from './proto-reader.js';
import type { ProtoWriter } from './proto-writer.js';

/** Go's zero time, 0001-01-01T00:00:00Z, in Unix seconds; it means "never" (P-16). */
const neverSeconds = -62_135_596_800;

/** Writes an instant as a `Timestamp`; `undefined` means "never". It is always written, even for the Unix epoch. */
export function writeTimestamp(writer: ProtoWriter, field: number, instant: EpochMs | undefined): void {
  if (instant === undefined) return writer.timestamp(field, neverSeconds, 0);
  const seconds = Math.floor(instant / 1_000);
  return writer.timestamp(field, seconds, Math.floor((instant - seconds * 1_000) * 1e6));
}

/** Reads a `Timestamp`, to the millisecond; Go's zero time is returned as `undefined`, "never". */
export function readTimestamp(reader: ProtoReader): EpochMs | undefined {
  let seconds = 0;
  let nanos = 0;
  reader.embedded(() => {
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x08) seconds = reader.int64();
      else if (next === 0x10) nanos = reader.int32();
      else reader.skip(next);
    }
  });
  if (seconds === neverSeconds && nanos === 0) return undefined;
  return epochMs(seconds * 1_000 + Math.floor(nanos / 1e6));
}
