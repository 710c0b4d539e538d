// A pooler between us and the server shows itself: the process it names for cancel requests is not the one that answers.
// Behind it the server session of one moment need not be that of the next, so nothing may be left on it that others
// would meet, and statements get names only where the pooler keeps them apart.
import type { DriverConnection, DriverStatement, Scalar } from '../../../driver/driver.ts';
import { AuthenticationError, type DatabaseError, ServerFullError } from '../../../errors/index.ts';
import type { ServerFields } from '../wire/server-message.ts';

/** Text of a statement that is run once. */
function once(sql: string): DriverStatement {
  return { text: { sql, params: [], results: undefined, prepare: false }, params: [] };
}

/** A named statement that looks for its own name. */
const PROBE: DriverStatement = {
  text: {
    sql: 'select name from pg_catalog.pg_prepared_statements',
    params: [],
    results: ['text'],
    prepare: true,
  },
  params: [],
};

/** Takes the probe away again, in the same trip, so that nobody else's name meets it. */
const TIDY: DriverStatement = once(
  `do $$ declare own text; begin
    for own in select name from pg_catalog.pg_prepared_statements where statement = '${PROBE.text.sql}' and name ~ '^ath[0-9]+$' loop
      execute 'deallocate ' || own;
    end loop;
  end $$`,
);

/**
 * Whether a pooler gives our names to the server as they are, where another client's statement may bear the same one.
 * PgBouncer does so below 1.21, and later without `max_prepared_statements`; else it puts names of its own in their place.
 */
export async function passesNamesOn(connection: DriverConnection): Promise<boolean> {
  const names: Scalar[] = [];
  const sink = {
    row: (_statement: number, [name]: Scalar[]): void => {
      names.push(name as Scalar);
    },
  };
  try {
    await connection.submit([PROBE, TIDY], sink);
  } catch (error) {
    if (connection.status === 'closed') throw error;
    // A name that is taken is the very thing.
    return true;
  }
  return names.length === 0 || names.some((name) => /^ath\d+$/.test(String(name)));
}

/** What PgBouncer refuses a client for has one SQLSTATE, whatever the reason. */
export function poolerRefusal(fields: ServerFields): DatabaseError | undefined {
  if (fields['C'] !== '08P01') return undefined;
  const message = fields['M'] ?? '';
  const options = { sqlState: '08P01', outcome: 'not-sent' } as const;
  if (/authentication failed|no such user|password/i.test(message)) return new AuthenticationError(message, options);
  return /max_client_conn|no more connections allowed/.test(message)
    ? new ServerFullError(message, options)
    : undefined;
}

const warned = new Set<string>();

/** Says once that settings were left out. */
export function warnUnset(names: readonly string[]): void {
  const list = names.join(', ');
  if (list === '' || warned.has(list)) return;
  warned.add(list);
  process.emitWarning(
    `${list}: a pooler lends its server sessions to others too, so settings of this one are not made. Make them on the role, the database or in each transaction.`,
    { code: 'ATH_POOLED_SETTINGS' },
  );
}
