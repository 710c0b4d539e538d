// The few ASN.1 forms an X.509 certificate needs, written as DER. Node can sign and can read certificates but cannot
// make one.

function element(tag: number, content: Buffer): Buffer {
  const size = content.length;
  if (size < 0x80) return Buffer.concat([Buffer.from([tag, size]), content]);
  const digits: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 + digits.length, ...digits]), content]);
}

/** SEQUENCE. */
export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

/** SET. */
export function set(...parts: readonly Buffer[]): Buffer {
  return element(0x31, Buffer.concat(parts));
}

/** INTEGER, not negative, from big-endian bytes. */
export function unsignedInteger(bytes: Buffer): Buffer {
  const first = bytes[0] ?? 0;
  return element(0x02, first >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** BOOLEAN TRUE. */
export function yes(): Buffer {
  return element(0x01, Buffer.from([0xff]));
}

/** OCTET STRING. */
export function octets(content: Buffer): Buffer {
  return element(0x04, content);
}

/** BIT STRING of whole bytes, or with some unused bits at its end. */
export function bits(content: Buffer, unused = 0): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([unused]), content]));
}

/** UTF8String. */
export function text(value: string): Buffer {
  return element(0x0c, Buffer.from(value, 'utf8'));
}

/** A context-specific element, constructed or primitive. */
export function tagged(number: number, content: Buffer, form: 'constructed' | 'primitive' = 'constructed'): Buffer {
  return element((form === 'constructed' ? 0xa0 : 0x80) + number, content);
}

/** UTCTime to 2049, GeneralizedTime after it, as X.509 asks. */
export function time(value: Date): Buffer {
  const digits = value.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return value.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : element(0x18, Buffer.from(`${digits}Z`));
}

/** OBJECT IDENTIFIER from its dotted form. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(128 + (rest % 128));
  return digits;
}
