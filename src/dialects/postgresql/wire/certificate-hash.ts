// The hash of the server's certificate that SCRAM binds to (RFC 5929, tls-server-end-point): made with the hash of
// the certificate's own signature, which has to be read from its DER form because not every Node says it.
import { createHash } from 'node:crypto';

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;

/** Signature algorithms (the OID's bytes in hex) and their hash; MD5 and SHA-1 count as SHA-256. */
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256',
  '2a864886f70d010105': 'sha256',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha256',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** The DER element at `at`, or undefined if the bytes are none. */
function element(der: Buffer, at: number): Element | undefined {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const extra = first < 0x80 ? 0 : first & 0x7f;
  if (extra > 4 || at + 2 + extra > der.length) return undefined;
  const length = extra === 0 ? first & 0x7f : der.readUIntBE(at + 2, extra);
  const start = at + 2 + extra;
  return start + length > der.length ? undefined : { tag, start, end: start + length };
}

/** The data to bind to, or undefined where the signature has no hash of its own (Ed25519, PSS). */
export function certificateHash(der: Buffer): Buffer | undefined {
  const certificate = element(der, 0);
  const signed = certificate?.tag === SEQUENCE ? element(der, certificate.start) : undefined;
  const algorithm = signed === undefined ? undefined : element(der, signed.end);
  const oid = algorithm?.tag === SEQUENCE ? element(der, algorithm.start) : undefined;
  if (oid?.tag !== OBJECT_IDENTIFIER) return undefined;
  const hash = HASHES[der.toString('hex', oid.start, oid.end)];
  return hash === undefined ? undefined : createHash(hash).update(der).digest();
}
