// From a test run to the scoreboard: which rows are proven, by which tests, on which databases.

/** A row of `docs/features.json`. */
export interface Feature {
  readonly number: string;
  readonly name: string;
  readonly what: string;
  readonly priority: string;
  /** `false` for a row that no database has a part in; all others are proven on a real one only. */
  readonly database?: boolean;
}

/** A test or suite whose title carries marks, as the reporter saw it end. */
export interface Outcome {
  readonly marks: readonly string[];
  /** From the outermost suite: `suite > test`. */
  readonly name: string;
  readonly file: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
}

/** A database that answered a statement while a test ran. */
export interface Reach {
  readonly test: string;
  readonly database: string;
}

/** One entry of `docs/scoreboard.json`. */
export interface Score {
  readonly state: 'proven' | 'absent';
  readonly tests: readonly string[];
  readonly databases: readonly string[];
}

export type Scoreboard = Readonly<Record<string, Score>>;

const ABSENT: Score = Object.freeze({ state: 'absent', tests: [], databases: [] });

/** Marks in titles that no row has. */
export function unknownMarks(features: readonly Feature[], outcomes: readonly Outcome[]): string[] {
  const known = new Set(features.map((feature) => feature.number));
  return [...new Set(outcomes.flatMap(({ marks }) => marks.filter((mark) => !known.has(mark))))].sort();
}

/** The state of every row. */
export function score(
  features: readonly Feature[],
  outcomes: readonly Outcome[],
  reached: readonly Reach[],
): Scoreboard {
  return Object.fromEntries(features.map((feature) => [feature.number, scoreOf(feature, outcomes, reached)]));
}

function scoreOf(feature: Feature, outcomes: readonly Outcome[], reached: readonly Reach[]): Score {
  const marked = outcomes.filter(({ marks }) => marks.includes(feature.number));
  const passed = marked.filter(({ outcome }) => outcome === 'passed');
  if (passed.length === 0 || marked.some(({ outcome }) => outcome === 'failed')) return ABSENT;
  const databases = sorted(passed.flatMap(({ name }) => databasesOf(name, reached)));
  if (databases.length === 0 && feature.database !== false) return ABSENT;
  return { state: 'proven', tests: sorted(passed.map(({ file, name }) => `${file}: ${name}`)), databases };
}

/** A suite reached what its tests reached. */
function databasesOf(name: string, reached: readonly Reach[]): string[] {
  return reached.filter(({ test }) => test === name || test.startsWith(`${name} > `)).map(({ database }) => database);
}

function sorted(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

/** Rows whose marked tests passed and that are still not proven, for want of a database. */
export function withoutDatabase(
  features: readonly Feature[],
  outcomes: readonly Outcome[],
  board: Scoreboard,
): string[] {
  const passed = new Set(outcomes.flatMap(({ marks, outcome }) => (outcome === 'passed' ? marks : [])));
  const failed = new Set(outcomes.flatMap(({ marks, outcome }) => (outcome === 'failed' ? marks : [])));
  return features
    .map(({ number }) => number)
    .filter((number) => board[number]?.state === 'absent' && passed.has(number) && !failed.has(number));
}

/** What was proven before and is no more: a row, or a row on a database. */
export function lost(before: Scoreboard, now: Scoreboard): string[] {
  return Object.entries(before).flatMap(([number, { state, databases }]) => {
    if (state !== 'proven') return [];
    if (now[number]?.state !== 'proven') return [number];
    const gone = databases.filter((database) => now[number]?.databases.includes(database) !== true);
    return gone.map((database) => `${number} on ${database}`);
  });
}
