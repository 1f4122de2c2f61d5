import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate that vouches for itself, and its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a certificate for a host name and for 127.0.0.1, valid for a day. Written by hand (DER, X.509 v3, ECDSA over
 * P-256), so that the tests need no openssl.
 */
export function selfSignedCertificate(hostName = 'localhost'): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid('550403'), text(hostName))));
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const now = Date.now();
  const altNames = sequence(node(0x82, Buffer.from(hostName)), node(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = sequence(
    sequence(oid('551d11'), node(0x04, altNames)),
    sequence(oid('551d13'), node(0x01, Buffer.from([0xff])), node(0x04, sequence(node(0x01, Buffer.from([0xff]))))),
  );
  const body = sequence(
    node(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(now - 3_600_000), time(now + 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    node(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, node(0x03, Buffer.concat([Buffer.from([0]), signature])));
  // No empty line after a last one that is full: it would end the certificate too early.
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

/** One DER value: tag, length, content. */
function node(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return node(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return node(0x31, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return node(0x06, Buffer.from(hex, 'hex'));
}

function integer(bytes: Buffer): Buffer {
  return node(0x02, bytes);
}

function text(value: string): Buffer {
  return node(0x0c, Buffer.from(value));
}

/** UTCTime: YYMMDDHHMMSSZ. */
function time(epoch: number): Buffer {
  const digits = new Date(epoch).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return node(0x17, Buffer.from(`${digits}Z`));
}
