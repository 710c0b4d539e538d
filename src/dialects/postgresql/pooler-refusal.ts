// What cannot be said through a pooler that gives the session away after each transaction: whatever would be left in it
// is lost, or met by somebody else. It is refused by name before it is sent. No parser: a reading of the words outside
// of strings, names and comments that errs on the side of what is harmless.
import { scriptWords } from '../../dialect/split-script.ts';
import type { DriverStatement } from '../../driver/driver.ts';
import { UnsupportedError } from '../../errors/index.ts';

interface Refusal {
  /** Of the statement's words with a blank between them. */
  readonly pattern: RegExp;
  readonly what: string;
  readonly cure: string;
}

const IN_TRANSACTION = 'Use SET LOCAL inside the transaction, or ALTER ROLE ... SET.';
const DIRECT = 'Use a connection that goes to the server itself.';

/** Settings that poolers keep for each client, because the server reports them. */
const KEPT_SETTINGS: readonly string[] = [
  'application_name',
  'client_encoding',
  'datestyle',
  'standard_conforming_strings',
  'timezone',
];

const REFUSALS: readonly Refusal[] = [
  { pattern: /^(?:un)?listen\b/, what: 'LISTEN', cure: DIRECT },
  {
    // What poolers keep for each client may be set.
    pattern: new RegExp(
      `^set (?!local\\b|transaction\\b|constraints\\b|(?:session )?(?:time zone|${KEPT_SETTINGS.join('|')})\\b)`,
    ),
    what: 'SET for the session',
    cure: IN_TRANSACTION,
  },
  {
    pattern: new RegExp(`^reset (?!(?:session )?(?:time zone|${KEPT_SETTINGS.join('|')})\\b)`),
    what: 'RESET',
    cure: DIRECT,
  },
  { pattern: /\bset_config\b.*\bfalse\b/, what: 'set_config for the session', cure: IN_TRANSACTION },
  {
    pattern: /\bpg_(?:try_)?advisory_(?:un)?lock(?:_shared|_all)?\b/,
    what: 'an advisory lock of the session',
    cure: 'Use pg_advisory_xact_lock, which ends with the transaction.',
  },
  {
    pattern: /^create (?:(?:global|local) )?temp(?:orary)?\b(?!.* on commit drop\b)/,
    what: 'a temporary table or view of the session',
    cure: 'Use ON COMMIT DROP.',
  },
  { pattern: /^declare\b.* with hold\b/, what: 'a cursor WITH HOLD', cure: 'Read it inside the transaction.' },
  {
    pattern: /^(?:prepare (?!transaction\b)|deallocate\b)/,
    what: 'PREPARE or DEALLOCATE',
    cure: 'Statements are prepared by themselves.',
  },
  { pattern: /^(?:discard|load)\b/, what: 'DISCARD or LOAD', cure: DIRECT },
];

const KEPT = 1000;
const known = new Map<string, Refusal | undefined>();

function refusalOf(sql: string): Refusal | undefined {
  if (known.has(sql)) return known.get(sql);
  const words = scriptWords(sql, { dollarQuotes: true, nestedComments: true, escapes: true }).join(' ');
  const found = REFUSALS.find(({ pattern }) => pattern.test(words));
  if (known.size >= KEPT) known.clear();
  known.set(sql, found);
  return found;
}

/** UnsupportedError (ATH_UNSUPPORTED) for the first statement that would leave something in the session, else undefined. */
export function firstRefusal(batch: readonly DriverStatement[]): UnsupportedError | undefined {
  for (const { text } of batch) {
    const refusal = sessionStateRefusal(text.sql);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** UnsupportedError (ATH_UNSUPPORTED) for a statement that would leave something in the session, else undefined. */
export function sessionStateRefusal(sql: string): UnsupportedError | undefined {
  const refusal = refusalOf(sql);
  if (refusal === undefined) return undefined;
  return new UnsupportedError(`${refusal.what} does not work through a pooler in transaction mode`, {
    hint: `${refusal.cure} If the pooler is in session mode, say so: pooler=session.`,
    outcome: 'not-sent',
  });
}

/** Throws UnsupportedError for a setting that would be another client's as well. */
export function refuseSetting(name: string): void {
  if (KEPT_SETTINGS.includes(name.toLowerCase())) return;
  throw new UnsupportedError(`the setting '${name}' cannot be kept through a pooler in transaction mode`, {
    hint: `${IN_TRANSACTION} If the pooler is in session mode, say so: pooler=session.`,
    outcome: 'not-sent',
  });
}
