// Features switched off, one line each. The tests that carry the row's mark must notice; one that does not proves
// nothing. A text that moved is moved here too: a test says which.

export interface Sabotage {
  /** The row of the scoreboard. */
  readonly row: string;
  readonly what: string;
  readonly file: string;
  /** Exactly this text, once, becomes the other. */
  readonly text: string;
  readonly becomes: string;
}

const EXECUTOR = 'src/engine/connection-executor.ts';
const CONNECTION = 'src/engine/connection.ts';
const POOL = 'src/pool/pool.ts';
const WIRE = 'src/dialects/postgresql/wire';
const DRIVER = 'src/dialects/postgresql/driver';

export const SABOTAGES: readonly Sabotage[] = [
  {
    row: 'F004',
    what: 'the first statement begins no transaction',
    file: EXECUTOR,
    text: 'const begin = begins ? this.#source.texts.begin(this.#options) : undefined;',
    becomes: 'const begin = undefined as ReturnType<typeof this.#source.texts.begin>; void begins;',
  },
  {
    row: 'F005',
    what: 'a callback that returns is not committed',
    file: CONNECTION,
    text: "if (transaction.isActive) await this.finish(transaction, 'commit', {});",
    becomes: '',
  },
  {
    row: 'F006',
    what: 'a savepoint is not rolled back to',
    file: CONNECTION,
    text: "if (how === 'rollback') await this.#executor.rollbackToSavepoint(savepoint, options);",
    becomes: '',
  },
  {
    row: 'F015',
    what: 'raw SQL loses its parameters',
    file: 'src/engine/raw-statement.ts',
    text: 'params: encoded.map(({ value }) => value) };',
    becomes: 'params: [] };',
  },
  {
    row: 'F016',
    what: 'of many parameter sets only the first is sent',
    file: 'src/engine/raw-statement.ts',
    text: 'sets: encoded.map((set) => set.map(({ value }) => value)) };',
    becomes: 'sets: encoded.slice(0, 1).map((set) => set.map(({ value }) => value)) };',
  },
  {
    row: 'F019',
    what: 'dispose() closes nothing',
    file: 'src/engine/engine.ts',
    text: 'await this.#source.pool.dispose();',
    becomes: '',
  },
  {
    row: 'F020',
    what: 'a lost connection does not end its generation',
    file: POOL,
    text: 'if (active && entry.failed && entry.generation === this.#generation) this.invalidate();',
    becomes: 'void active;',
  },
  {
    row: 'F024',
    what: 'nobody is told who holds the connections',
    file: 'src/pool/pool-status.ts',
    text: "if (entry.state === 'in use') holders.push(entry.describe(now));",
    becomes: 'void now;',
  },
  {
    row: 'F025',
    what: 'the order asked for is not kept',
    file: 'src/pool/idle-shelf.ts',
    text: "return this.#options.order === 'lifo' ? this.#entries.at(-1) : this.#entries[0];",
    becomes: 'return this.#entries[0];',
  },
  {
    row: 'F026',
    what: 'no connection is pinged',
    file: POOL,
    text: 'return entry.idledFor(now, clock.wall()) <= pingAfter && this.#keepable(entry, now);',
    becomes: 'void clock; return pingAfter >= 0 && this.#keepable(entry, now);',
  },
  {
    row: 'F027',
    what: 'connections do not age',
    file: POOL,
    text: 'entry.stale || now >= entry.expiresAt) return false;',
    becomes: 'entry.stale) return false; void now;',
  },
  {
    row: 'F028',
    what: 'invalidate() spares connections that are out',
    file: POOL,
    text: 'if (entry.generation !== this.#generation || entry.stale',
    becomes: 'if (entry.stale',
  },
  {
    row: 'F029',
    what: 'a connection goes on with the transaction it came back in',
    file: POOL,
    text: 'else this.#reset(entry);',
    becomes: 'else this.#deliver(entry, this.now());',
  },
  {
    row: 'F033',
    what: 'nobody hears of a new connection',
    file: POOL,
    text: 'this.#teller.connected(entry);',
    becomes: '',
  },
  {
    row: 'F036',
    what: 'leaked connections are not watched for',
    file: 'src/pool/leak-alarm.ts',
    text: 'this.#registry.register(lease, entry, lease);',
    becomes: 'void entry;',
  },
  {
    row: 'F151',
    what: 'versions are not counted on',
    file: 'src/orm/flush/collect.ts',
    text: "} else set.set(index, typeof stored === 'bigint' ? stored + 1n : Number(stored) + 1);",
    becomes: "} else set.set(index, typeof stored === 'bigint' ? stored : Number(stored));",
  },
  {
    row: 'F185',
    what: 'a row read again is another object',
    file: 'src/orm/session/class-store.ts',
    text: 'return this.#byKey.get(key);',
    becomes: 'void key; return undefined;',
  },
  {
    row: 'F188',
    what: 'queries do not see what was not flushed',
    file: 'src/orm/session/session-core.ts',
    text: 'if (this.autoflush) await this.#autoflush(node);',
    becomes: '',
  },
  {
    row: 'F205',
    what: 'what must be alone overlaps reads',
    file: 'src/orm/session/work-queue.ts',
    text: "if (this.#running > 0) throw overlap(name, this.#running === 1 ? 'a read' : `${this.#running} reads`);",
    becomes: '',
  },
  {
    row: 'X03',
    what: 'a full server is not asked again',
    file: 'src/pool/opener.ts',
    text: 'return error instanceof ServerFullError ||',
    becomes: 'return',
  },
  {
    row: 'X36',
    what: 'writes of stale rows are not guarded',
    file: 'src/orm/flush/collect.ts',
    text: 'if (this.#options.isFresh(state)) return [];',
    becomes: 'if (mapper !== undefined) return [];',
  },
  {
    row: 'T06',
    what: 'the pool is not told of connections that went away',
    file: POOL,
    text: 'connection.onLost = (error) => this.#connections.lost(entry, error);',
    becomes: '',
  },
  {
    row: 'T25',
    what: 'rows with something behind their fields are taken',
    file: `${WIRE}/row-decoder.ts`,
    text: '    if (at !== end) damagedRow();\n    return row;',
    becomes: '    return row;',
  },
  {
    row: 'T29',
    what: 'a waiter that gave up keeps its place',
    file: 'src/pool/waiting-line.ts',
    text: '        node?.remove();\n',
    becomes: '',
  },
  {
    row: 'T38',
    what: 'a lock that was not to be had is any failure',
    file: 'src/dialects/postgresql/errors.ts',
    text: "'55P03': LockTimeoutError,",
    becomes: '',
  },
  {
    row: 'T43',
    what: 'a statement whose plan changed is not parsed anew',
    file: `${DRIVER}/pipeline.ts`,
    text: 'if (this.#mayRetry(exchange, before)) return this.#again(exchange);',
    becomes: 'void before;',
  },
  {
    row: 'T58',
    what: 'the permit of a dropped connection is free at once',
    file: 'src/pool/open-connections.ts',
    text: 'this.#finish(entry, !alive);',
    becomes: 'this.#finish(entry, true); void alive;',
  },
  {
    row: 'B01',
    what: 'quotes in names are not doubled',
    file: 'src/dialect/compile/identifier.ts',
    text: "name.replaceAll('\"', '\"\"')",
    becomes: 'name',
  },
  {
    row: 'B03',
    what: 'any limit is taken',
    file: 'src/sql/statements/select.ts',
    text: 'if (!Number.isSafeInteger(count) || (count as number) < 0) {',
    becomes: 'if (count === null) {',
  },
  {
    row: 'B04',
    what: 'wild characters stay wild',
    file: 'src/sql/expression.ts',
    text: "checkText(text).replace(/[\\\\%_]/g, '\\\\$&')",
    becomes: 'checkText(text)',
  },
  {
    row: 'B07',
    what: 'sql takes a plain string',
    file: 'src/sql/raw.ts',
    text: 'if (!Array.isArray(strings) || !Array.isArray(strings.raw)) {',
    becomes:
      "if (typeof strings === 'string') strings = Object.assign([strings], { raw: [strings] }); if (!Array.isArray(strings)) {",
  },
  {
    row: 'B13',
    what: 'NUL in SQL text is sent',
    file: `${WIRE}/statement-messages.ts`,
    text: "if (problem !== undefined) throw new UsageError(`the SQL text ${problem}`, { outcome: 'not-sent' });",
    becomes: 'void problem;',
  },
  {
    row: 'B14',
    what: 'NUL in the startup message is sent',
    file: `${DRIVER}/options.ts`,
    text: 'if (problem !== undefined) throw new UsageError(`${name} ${problem}`);',
    becomes: 'void problem;',
  },
  {
    row: 'B15',
    what: 'half a surrogate pair is sent',
    file: `${WIRE}/message-writer.ts`,
    text: "if (!isWellFormed(text)) return 'contains half of a surrogate pair, which is not text';",
    becomes: 'void isWellFormed;',
  },
  {
    row: 'B21',
    what: 'a public server gets the password in clear text',
    file: `${DRIVER}/startup.ts`,
    text: "if (method === 'scram-sha-256' || secured.verified || isLoopback(address) || isPrivate(address)) return;",
    becomes: "if (method !== 'none' || secured.verified || isLoopback(address) || isPrivate(address)) return;",
  },
  {
    row: 'B22',
    what: 'a server need not know the password',
    file: `${WIRE}/scram.ts`,
    text: 'given.length !== own.length || !timingSafeEqual(given, own)',
    becomes: '(given.length === own.length && !timingSafeEqual(given, given))',
  },
  {
    row: 'B24',
    what: 'data before TLS is passed over',
    file: `${DRIVER}/tls-negotiation.ts`,
    text: 'if (length !== 1)',
    becomes: 'if (length < 1)',
  },
  {
    row: 'B25',
    what: 'a message may be as long as it says',
    file: `${WIRE}/frame-reader.ts`,
    text: 'if (size < 4 || size > this.limit)',
    becomes: 'if (size < 4)',
  },
  {
    row: 'B26',
    what: 'a URL may be as long as it likes',
    file: 'src/dialects/postgresql/url-fields.ts',
    text: 'if (url.length > MAX_LENGTH)',
    becomes: 'if (url.length > MAX_LENGTH * 1e9)',
  },
  {
    row: 'B28',
    what: 'the broker believes any token',
    file: 'src/process/broker/broker-server.ts',
    text: 'if (!sameSecret(hello.token, this.#folder.token)) {',
    becomes: "if (!sameSecret(hello.token, this.#folder.token) && hello.token === '') {",
  },
  {
    row: 'B32',
    what: 'control characters reach the terminal',
    file: 'packages/cli/src/text.ts',
    text: 'return text.replace(UNPRINTABLE, (char) => {',
    becomes: 'return text.replace(/[\\n\\r\\t]/g, (char) => { void UNPRINTABLE;',
  },
];
