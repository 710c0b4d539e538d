// Certificates by which a client shows who it is, each signed by itself, so that it is its own authority.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import {
  bits,
  identifier,
  octets,
  sequence,
  set,
  tagged,
  text,
  time,
  unsignedInteger,
  yes,
} from '../../packages/embedded/src/der.ts';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const BASIC_CONSTRAINTS = '2.5.29.19';

/** A certificate for the common name `name`, and its key, as PEM texts. */
export function clientCertificate(name: string): { readonly certificate: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const who = sequence(set(sequence(identifier(COMMON_NAME), text(name))));
  const algorithm = sequence(identifier(ECDSA_SHA256));
  const now = Date.now();
  const content = sequence(
    tagged(0, unsignedInteger(Buffer.from([2]))),
    unsignedInteger(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    who,
    sequence(time(new Date(now - 86_400_000)), time(new Date(now + 86_400_000))),
    who,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(sequence(identifier(BASIC_CONSTRAINTS), yes(), octets(sequence(yes()))))),
  );
  const der = sequence(content, algorithm, bits(sign('sha256', content, privateKey)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
