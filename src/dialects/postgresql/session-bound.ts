// What belongs to a session and not to a transaction. Behind a pooler that gives each transaction another session it
// would be lost, or be found by a stranger; so it is refused, by name, as far as a statement shows it.
import { scriptWords } from '../../dialect/split-script.ts';

const LOCK = /^pg_(?:try_)?advisory_(?:un)?lock(?:_shared|_all)?$/;

/** What in `sql` is bound to the session, in words; `undefined` where nothing is seen. */
export function sessionBound(sql: string): string | undefined {
  const words = scriptWords(sql, { dollarQuotes: true, nestedComments: true, escapes: true });
  const lock = words.find((word) => LOCK.test(word));
  if (lock !== undefined) return `${lock}(), a lock of the session; pg_advisory_xact_lock() is one of the transaction`;
  const [first, second] = words;
  switch (first) {
    case 'listen':
    case 'unlisten':
    case 'load':
    case 'discard':
    case 'prepare':
    case 'deallocate':
      // PREPARE TRANSACTION ends what it is in.
      return first === 'prepare' && second === 'transaction' ? undefined : first.toUpperCase();
    case 'set':
      return second === 'local' || second === 'transaction' || second === 'constraints'
        ? undefined
        : 'SET of a session setting; SET LOCAL holds for one transaction';
    case 'reset':
      return 'RESET of a session setting';
    case 'declare':
      return words.some((word, at) => word === 'with' && words[at + 1] === 'hold')
        ? 'DECLARE ... WITH HOLD'
        : undefined;
    case 'create':
      return second === 'temp' || second === 'temporary' ? temporary(words) : undefined;
    default:
      return undefined;
  }
}

function temporary(words: readonly string[]): string | undefined {
  const drops = words.some((word, at) => word === 'on' && words[at + 1] === 'commit' && words[at + 2] === 'drop');
  return drops ? undefined : 'CREATE TEMPORARY without ON COMMIT DROP';
}
