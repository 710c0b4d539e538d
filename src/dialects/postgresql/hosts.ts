// Which hosts are near enough that a missing TLS or a weak authentication is accepted: this machine, and names and
// addresses that cannot be reached from outside.
import { isIP } from 'node:net';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/;
const PRIVATE_V4 =
  /^(?:10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
const PRIVATE_V6 = /^(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/;

/** This machine, by TCP or by a Unix socket. */
export function isLoopback(host: string): boolean {
  return host.startsWith('/') || LOOPBACK.test(host.toLowerCase());
}

/** A private address, or a name without a dot such as a compose file's `db`. */
export function isPrivate(host: string): boolean {
  const name = host.toLowerCase().replace(/^::ffff:/, '');
  switch (isIP(name)) {
    case 4:
      return PRIVATE_V4.test(name);
    case 6:
      return PRIVATE_V6.test(name);
    default:
      return name !== '' && !name.includes('.');
  }
}
