// Which of several servers is the wanted one, as libpq tells them apart: by what the server says of itself at startup
// where it does (from 14 on), else by asking.
import type { DriverConnection, Scalar } from '../../../driver/driver.ts';
import { ConnectError } from '../../../errors/index.ts';
import { type Place, placeName, type TargetSessionAttrs } from './options.ts';

const mismatches = new WeakSet<object>();

/** Whether the server is there and well, but not the wanted one. */
export function isMismatch(error: unknown): boolean {
  return typeof error === 'object' && error !== null && mismatches.has(error);
}

async function ask(connection: DriverConnection, sql: string): Promise<boolean> {
  let answer: Scalar = null;
  const text = { sql, params: [], results: ['boolean'], prepare: false } as const;
  await connection.submit([{ text, params: [] }], {
    row: (_statement, [value]) => {
      answer = value ?? null;
    },
  });
  return answer === true;
}

async function isStandby(connection: DriverConnection): Promise<boolean> {
  const said = connection.parameters?.get('in_hot_standby');
  return said === undefined ? ask(connection, 'select pg_catalog.pg_is_in_recovery()') : said === 'on';
}

async function isReadOnly(connection: DriverConnection): Promise<boolean> {
  const standby = connection.parameters?.get('in_hot_standby');
  const byDefault = connection.parameters?.get('default_transaction_read_only');
  if (standby !== undefined && byDefault !== undefined) return standby === 'on' || byDefault === 'on';
  return ask(connection, `select pg_catalog.current_setting('transaction_read_only')::bool`);
}

/** What is wrong with this server, if anything is. */
async function objection(connection: DriverConnection, wanted: TargetSessionAttrs): Promise<string | undefined> {
  switch (wanted) {
    case 'any':
      return undefined;
    case 'read-write':
      return (await isReadOnly(connection)) ? 'its sessions are read-only' : undefined;
    case 'read-only':
      return (await isReadOnly(connection)) ? undefined : 'its sessions are not read-only';
    case 'primary':
      return (await isStandby(connection)) ? 'it is a standby' : undefined;
    case 'standby':
    case 'prefer-standby':
      return (await isStandby(connection)) ? undefined : 'it is no standby';
  }
}

/** Throws ConnectError if the server is not what is wanted. */
export async function checkRole(connection: DriverConnection, wanted: TargetSessionAttrs, place: Place): Promise<void> {
  const why = await objection(connection, wanted);
  if (why === undefined) return;
  const error = new ConnectError(`the server at ${placeName(place)} is not the wanted one (${wanted}): ${why}`, {
    outcome: 'not-sent',
  });
  mismatches.add(error);
  throw error;
}
