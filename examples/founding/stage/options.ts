// What the programme can be told, and nothing else: a wrong word is answered by one line, before anything is started.
import { parseArgs } from 'node:util';

export const VARIANTS = ['globals', 'scoped', 'cure', 'forced-gc'] as const;
export type VariantName = (typeof VARIANTS)[number];

/** A variant's share of the time where no number of iterations is asked for, in milliseconds. */
export const SHARE = 5000;

export interface Options {
  /** Per variant. Left out, the variants share a fixed time instead. */
  readonly iterations: number | undefined;
  readonly processes: number;
  readonly budget: number;
  readonly tls: boolean;
  /** In milliseconds; 0 is never. */
  readonly killEvery: number;
  readonly variants: readonly VariantName[];
  /** Whether the parts that are no iterations run too: act 1, the shared counter, and what is broken on purpose. */
  readonly whole: boolean;
  readonly brokenOnly: boolean;
  readonly seed: number;
  readonly json: boolean;
  /** `false` for --no-color. */
  readonly color: boolean | undefined;
  readonly databaseUrl: string | undefined;
}

/** Something the user can put right; shown as one line. */
export class WrongUse extends Error {}

export const HELP = `The founding programme of athanor: a main process adds a row, starts a child process, the child loads the row, adds one
and commits, and the main process must then read 2. It runs on an embedded PostgreSQL, in two acts of about half a
minute together, and ends with a verdict that is read back from the server.

  npm start -- [options]

  --iterations N     iterations of each variant (otherwise each has its share of the time)
  --processes P      children at a time, 1 to 64 (8)
  --budget B         server connections for the whole process tree, 3 to 90 (6)
  --no-tls           without TLS
  --kill-every MS    kill a child with SIGKILL every MS milliseconds, 0 for never (1000)
  --variant NAME     only this one: ${VARIANTS.join(', ')} or broken
  --seed S           a number; the same one chooses the children to be killed in the same way
  --json             print the outcome as one JSON object, and nothing else
  --no-color         no colours; NO_COLOR and FORCE_COLOR are obeyed too
  --help             this text

  DATABASE_URL       run on this PostgreSQL instead of the embedded one. Act 1 is left out, and connections are sampled
                     from pg_stat_activity, because the log of that server cannot be read from here.

It ends with 0 if every line of the verdict is right, with 1 if not or if it could not run, with 130 after Ctrl-C.
`;

const FLAGS = {
  iterations: { type: 'string' },
  processes: { type: 'string' },
  budget: { type: 'string' },
  'no-tls': { type: 'boolean' },
  'kill-every': { type: 'string' },
  variant: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The options, or `undefined` where help was asked for. Throws `WrongUse`. */
export function readOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options | undefined {
  const given = parse(argv);
  if (given.help === true) return undefined;
  const { variant } = given;
  if (variant !== undefined && variant !== 'broken' && !isVariant(variant)) {
    throw new WrongUse(`--variant must be one of ${VARIANTS.join(', ')}, broken; it is '${variant}'`);
  }
  const number = (name: keyof typeof given, range: readonly [number, number]): number | undefined =>
    wholeNumber(name, given[name], range);
  return {
    iterations: number('iterations', [1, 10_000_000]),
    processes: number('processes', [1, 64]) ?? 8,
    budget: number('budget', [3, 90]) ?? 6,
    tls: given['no-tls'] !== true,
    killEvery: number('kill-every', [0, 3_600_000]) ?? 1000,
    variants: variant === undefined ? VARIANTS : isVariant(variant) ? [variant] : [],
    whole: variant === undefined,
    brokenOnly: variant === 'broken',
    seed: number('seed', [0, 0xffff_ffff]) ?? Math.floor(Math.random() * 0x1_0000_0000),
    json: given.json === true,
    color: given['no-color'] === true ? false : undefined,
    databaseUrl: databaseUrl(env['DATABASE_URL']),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // The first sentence says what is wrong; the others advise about positional arguments, and there are none.
    const [sentence] = (error as Error).message.split(/[.\n]/u);
    throw new WrongUse(`${sentence}; --help lists the options`);
  }
}

const isVariant = (name: string): name is VariantName => (VARIANTS as readonly string[]).includes(name);

function wholeNumber(
  name: string,
  text: string | boolean | undefined,
  [least, most]: readonly [number, number],
): number | undefined {
  if (typeof text !== 'string') return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new WrongUse(`--${name} must be a whole number from ${least} to ${most}; it is '${text}'`);
}

/** The user's own server. What is wrong with it is said without quoting it: it holds a password. */
function databaseUrl(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!URL.canParse(text)) throw new WrongUse('DATABASE_URL is not a URL');
  const { protocol } = new URL(text);
  if (protocol === 'postgresql:' || protocol === 'postgres:') return text;
  throw new WrongUse(`DATABASE_URL must begin with postgresql://, not ${protocol}//; this programme needs a server`);
}
