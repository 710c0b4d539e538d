// Ways that are open to others although they were taken as they were asked for: said once for each server, because a
// protection that is missing must not be missing in silence.
import { isLoopback } from './hosts.ts';

const said = new Set<string>();

interface Where {
  readonly host: string;
  readonly port: number;
  readonly address?: string | undefined;
}

function warnOnce(code: string, { host, port, address = host }: Where, message: string): void {
  if (isLoopback(address) || said.has(`${code} ${host}:${port}`)) return;
  said.add(`${code} ${host}:${port}`);
  process.emitWarning(message, { code });
}

/** Nothing encrypts the way. */
export function warnPlain(where: Where): void {
  const message = `the connection to ${where.host}:${where.port} has no TLS: what passes can be read and changed on the way`;
  warnOnce('ATH_NO_TLS', where, message);
}

/** The way is encrypted, to whoever answers. */
export function warnUnverified(where: Where): void {
  const message = `nobody checks who answers as ${where.host}:${where.port}: sslmode=require without sslrootcert encrypts and no more`;
  warnOnce('ATH_TLS_UNVERIFIED', where, message);
}
