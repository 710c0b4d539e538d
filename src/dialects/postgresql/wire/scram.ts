// SCRAM-SHA-256 (RFC 5802, 7677): the password is proved, never sent, and the server has to prove that it knows it
// too. The costly derivation runs off the event loop, is capped, and is remembered per process.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AuthenticationError } from '../../../errors/index.ts';

/** More iterations than this are a denial of service, not a setting. */
const MAX_ITERATIONS = 1_000_000;
const REMEMBERED = 64;
const derive = promisify(pbkdf2);

/** Tells equal passwords apart from others without keeping them. */
const memoryKey = randomBytes(32);
const salted = new Map<string, Promise<Buffer>>();

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const refuse = (what: string): never => {
  throw new AuthenticationError(`the server's SCRAM answer cannot be accepted: ${what}`, { outcome: 'not-sent' });
};

/** Characters that SASLprep (RFC 4013) maps to nothing, and those it maps to a blank. */
const DROPPED = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b\u200c]|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g;
const BLANKS = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

function prepared(password: string): string {
  return password.replace(BLANKS, ' ').replace(DROPPED, '').normalize('NFKC');
}

function saltedPassword(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  const fingerprint = createHmac('sha256', memoryKey).update(password).digest('base64');
  const key = `${iterations}:${salt.toString('base64')}:${fingerprint}`;
  const known = salted.get(key);
  if (known !== undefined) return known;
  const made = derive(prepared(password), salt, iterations, 32, 'sha256');
  if (salted.size >= REMEMBERED) salted.delete(salted.keys().next().value as string);
  salted.set(key, made);
  made.catch(() => salted.delete(key));
  return made;
}

function attributes(message: string): ReadonlyMap<string, string> {
  return new Map(message.split(',').map((part) => [part.slice(0, 2), part.slice(2)]));
}

/** What the TLS channel adds: the data to bind to, or why there is none. */
export type ChannelBinding = { readonly use: 'bind'; readonly data: Buffer } | { readonly use: 'supported' | 'none' };

function gs2Header(binding: ChannelBinding): string {
  if (binding.use === 'bind') return 'p=tls-server-end-point,,';
  return binding.use === 'supported' ? 'y,,' : 'n,,';
}

/** One authentication. Use once. */
export class ScramExchange {
  readonly mechanism: string;
  readonly #header: string;
  readonly #binding: ChannelBinding;
  readonly #nonce = randomBytes(18).toString('base64');
  #serverSignature: Buffer | undefined;

  constructor(binding: ChannelBinding) {
    this.#binding = binding;
    this.#header = gs2Header(binding);
    this.mechanism = binding.use === 'bind' ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
  }

  /** The first message. The user's name is in the startup message already, so it is empty here. */
  first(): string {
    return `${this.#header}n=,r=${this.#nonce}`;
  }

  /** Answers the server's challenge. */
  async answer(challenge: string, password: string): Promise<string> {
    const parts = attributes(challenge);
    const nonce = parts.get('r=') ?? '';
    const salt = Buffer.from(parts.get('s=') ?? '', 'base64');
    const iterations = parts.get('i=') ?? '';
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      refuse('its nonce does not continue ours');
    if (salt.length === 0) refuse('it has no salt');
    if (!/^[1-9]\d{0,9}$/.test(iterations) || Number(iterations) > MAX_ITERATIONS)
      refuse(`an iteration count outside 1 to ${MAX_ITERATIONS}`);
    const bound = this.#binding.use === 'bind' ? this.#binding.data : Buffer.alloc(0);
    const channel = Buffer.concat([Buffer.from(this.#header), bound]).toString('base64');
    const withoutProof = `c=${channel},r=${nonce}`;
    const authenticated = `n=,r=${this.#nonce},${challenge},${withoutProof}`;
    const key = await saltedPassword(password, salt, Number(iterations));
    const clientKey = hmac(key, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), authenticated);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] as number)));
    this.#serverSignature = hmac(hmac(key, 'Server Key'), authenticated);
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** Checks that the server knows the password too. */
  verify(final: string): void {
    const parts = attributes(final);
    if (parts.has('e=')) refuse('it reports a failure');
    const given = Buffer.from(parts.get('v=') ?? '', 'base64');
    const own = this.#serverSignature;
    if (own === undefined || given.length !== own.length || !timingSafeEqual(given, own))
      refuse('its signature is wrong, so it does not know the password');
  }
}

/** The answer to an MD5 challenge. */
export function md5Answer(credentials: { readonly user: string; readonly password: string }, salt: Buffer): string {
  const inner = createHash('md5').update(`${credentials.password}${credentials.user}`).digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}
