import { InvalidOptionError, showValue } from '../errors/option-errors.js';
import { type Given, isBlank, refuse } from '../options/check.js';
import { suggest } from '../options/suggest.js';
import { zoneNames } from './generated/zone-names.js';
import { ZoneOffsets } from './time-zone.js';

// The runtime is not asked which names exist: Intl accepts them in any letter case, and aliases such as BST, which it
// takes for Dhaka. Go accepts none of these.
const names: ReadonlySet<string> = new Set(
  Object.entries(zoneNames).flatMap(([area, places]) =>
    places.split(' ').map((place) => (area === '' ? place : `${area}/${place}`)),
  ),
);

/** What people usually mean by abbreviations that are not zone names: places that use them today. */
const abbreviations: Readonly<Record<string, string>> = {
  acst: 'Australia/Adelaide',
  act: 'Australia/Darwin',
  aedt: 'Australia/Sydney',
  aest: 'Australia/Sydney',
  aet: 'Australia/Sydney',
  akst: 'America/Anchorage',
  ast: 'America/Halifax',
  awst: 'Australia/Perth',
  brt: 'America/Sao_Paulo',
  bst: 'Europe/London',
  cat: 'Africa/Maputo',
  cdt: 'America/Chicago',
  cest: 'Europe/Berlin',
  cst: 'America/Chicago',
  ct: 'America/Chicago',
  eat: 'Africa/Nairobi',
  edt: 'America/New_York',
  eest: 'Europe/Athens',
  et: 'America/New_York',
  hkt: 'Asia/Hong_Kong',
  ict: 'Asia/Bangkok',
  ist: 'Asia/Kolkata',
  jst: 'Asia/Tokyo',
  kst: 'Asia/Seoul',
  mdt: 'America/Denver',
  msk: 'Europe/Moscow',
  mt: 'America/Denver',
  nst: 'America/St_Johns',
  nzdt: 'Pacific/Auckland',
  nzst: 'Pacific/Auckland',
  pdt: 'America/Los_Angeles',
  pht: 'Asia/Manila',
  pkt: 'Asia/Karachi',
  pst: 'America/Los_Angeles',
  pt: 'America/Los_Angeles',
  sast: 'Africa/Johannesburg',
  sgt: 'Asia/Singapore',
  sst: 'Pacific/Pago_Pago',
  vst: 'Asia/Ho_Chi_Minh',
  west: 'Europe/Lisbon',
  wib: 'Asia/Jakarta',
  z: 'UTC',
};

const allowed = "an IANA time zone such as 'Europe/Berlin'";

/** Checks the IANA name of a time zone. @throws InvalidOptionError with the nearest name. */
export function checkTimeZone(given: Given): string {
  const { path, value } = given;
  if (typeof value !== 'string' || isBlank(value)) return refuse(given, allowed);
  const fault = zoneFault(value);
  if (fault === undefined) return value;
  throw new InvalidOptionError({ path, value, allowed, message: `${path} ${fault}` });
}

/**
 * Returns why a name cannot be used as a time zone, as the rest of a sentence; `undefined` if it can. A zone must be a
 * name of the IANA database, spelled exactly, and the runtime must have data for it (S-143).
 */
export function zoneFault(name: string): string | undefined {
  const got = `got ${showValue(name)}`;
  if (name === 'Local') return `must be ${allowed}, ${got}, which differs from process to process`;
  if (!names.has(name)) {
    const nearest = nearestZone(name);
    return nearest === undefined
      ? `must be ${allowed}, ${got}`
      : `must be an IANA time zone, ${got}; did you mean '${nearest}'?`;
  }
  try {
    ZoneOffsets.of(name);
    return undefined;
  } catch {
    return `must be a time zone that this Node.js has data for, ${got}`;
  }
}

/** Returns the zone that was probably meant by an unknown name. */
function nearestZone(unknown: string): string | undefined {
  const written = unknown.trim().replaceAll(/\s+/g, '_').toLowerCase();
  const all = [...names];
  return (
    all.find((name) => name.toLowerCase() === written) ??
    (Object.hasOwn(abbreviations, written) ? abbreviations[written] : undefined) ??
    fixedOffset(written) ??
    all.find((name) => name.toLowerCase().endsWith(`/${written}`)) ??
    suggest(unknown, all)
  );
}

/** Returns the zone at whole hours from UTC, whose name has the opposite sign: `UTC+7` is `Etc/GMT-7`. */
function fixedOffset(written: string): string | undefined {
  const [, sign, hours] = /^(?:etc\/)?(?:utc|gmt)?([+-])0?(\d{1,2})(?::?00)?$/.exec(written) ?? [];
  if (sign === undefined) return undefined;
  const name = Number(hours) === 0 ? 'UTC' : `Etc/GMT${sign === '+' ? '-' : '+'}${Number(hours)}`;
  return names.has(name) ? name : undefined;
}
