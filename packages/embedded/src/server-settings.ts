// The settings a server is started with: what keeps it on this machine and behind a password, then what the caller
// asked for. They are given on the command line, so that the cluster's own configuration stays as its user left it.

import { chmodSync, existsSync, lchownSync, readFileSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { makeCertificates } from './certificate.ts';
import { type DataFolder, type TlsMode, writePrivate } from './data-folder.ts';
import type { Identity } from './reach.ts';

const MONTH = 30 * 86_400_000;

/** What the settings are made from. */
export interface SettingsContext {
  readonly data: DataFolder;
  readonly who: Identity | undefined;
  readonly port: number;
  readonly tls: TlsMode;
  readonly durable: boolean;
  readonly socketFolder: string | undefined;
  readonly accessRules: readonly string[];
  readonly given: Readonly<Record<string, string>>;
}

/** The settings, with the files they need written into the cluster. */
export function serverSettings(context: SettingsContext): Readonly<Record<string, string>> {
  writeAccessRules(context);
  if (context.tls !== 'off') ensureCertificate(context);
  return {
    log_line_prefix: '%m [%p] %q%u@%d ',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(context.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...context.given,
    listen_addresses: '127.0.0.1',
    port: String(context.port),
    unix_socket_directories: context.socketFolder === undefined ? '' : `"${context.socketFolder}"`,
    unix_socket_permissions: '0700',
    password_encryption: context.given['password_encryption'] ?? 'scram-sha-256',
    ssl: context.tls === 'off' ? 'off' : 'on',
    ...(context.tls === 'off' ? {} : { ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' }),
  };
}

function writeAccessRules(context: SettingsContext): void {
  const kind = context.tls === 'required' ? 'hostssl' : 'host';
  const lines = [
    '# Written at every start.',
    ...context.accessRules,
    'local all all scram-sha-256',
    'local replication all scram-sha-256',
    `${kind} all all 127.0.0.1/32 scram-sha-256`,
    `${kind} replication all 127.0.0.1/32 scram-sha-256`,
  ];
  give(path.join(context.data.cluster, 'pg_hba.conf'), `${lines.join('\n')}\n`, context.who);
}

function ensureCertificate(context: SettingsContext): void {
  const certificate = path.join(context.data.cluster, 'server.crt');
  if (existsSync(context.data.certificate) && isGood(certificate)) return;
  const made = makeCertificates();
  give(path.join(context.data.cluster, 'server.key'), made.key, context.who);
  give(certificate, made.certificate, context.who);
  writePrivate(context.data.certificate, made.authority);
  chmodSync(context.data.certificate, 0o644);
}

function isGood(certificate: string): boolean {
  if (!existsSync(certificate)) return false;
  return Date.parse(new X509Certificate(readFileSync(certificate)).validTo) > Date.now() + MONTH;
}

function give(file: string, text: string, who: Identity | undefined): void {
  writeFileSync(file, text, { mode: 0o600 });
  if (who !== undefined) lchownSync(file, who.uid, who.gid);
}
