// What a fault test works with: a real server, engines and proxies before it, and a record of everything that was
// acknowledged, that failed and that was waited for.
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { postgresqlDialect } from '../../src/dialects/postgresql/dialect.ts';
import { createPostgresDriver, type PostgresOptions } from '../../src/dialects/postgresql/driver/index.ts';
import { parsePostgresUrl, redactPostgresUrl } from '../../src/dialects/postgresql/url.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { AthanorError } from '../../src/errors/index.ts';
import { LocalPermits } from '../../src/pool/local-permits.ts';
import type { PoolSettings } from '../../src/pool/pool-options.ts';
import { ProxyProcess } from '../../src/testing.ts';
import type { TestServer } from '../servers.ts';
import { Ledger, ledgerViolations } from './ledger.ts';
import { StallMeter } from './stall.ts';
import { badError, shownBy, type Violation } from './violations.ts';

export interface LabEngineOptions {
  readonly proxy?: ProxyProcess;
  /** Instead of the server's own. */
  readonly url?: string;
  /** Default 4. */
  readonly max?: number;
  readonly pool?: PoolSettings;
  readonly driver?: Partial<PostgresOptions>;
}

interface OpenEngine {
  readonly engine: Engine;
  readonly permits: LocalPermits;
  readonly application: string;
  /** Whose connections are on the lab's own server, so that they can be counted there. */
  readonly counted: boolean;
}

interface Wait {
  readonly what: string;
  settled: boolean;
}

/** Milliseconds a wait may end late. */
const LATE = 250;
/** How long what must come about in the end may take to do so, in ms. */
export const PATIENCE = 30_000;

let labs = 0;

export class Lab {
  /** The server that is asked afterwards; after a failover, the new one. */
  server: TestServer;
  readonly ledger: Ledger;
  /** A parameter that must show up nowhere but in its column. */
  readonly secret: string = `canary-${randomBytes(9).toString('hex')}`;
  /** Milliseconds, by name. */
  readonly figures: Map<string, number[]> = new Map();
  readonly violations: Violation[] = [];
  readonly name: string;
  readonly #stall = new StallMeter();
  readonly #engines: OpenEngine[] = [];
  readonly #proxies: ProxyProcess[] = [];
  readonly #waits: Wait[] = [];
  readonly #failures: unknown[] = [];
  readonly #lines: string[] = [];
  readonly #undo: (() => unknown)[] = [];

  readonly #patience: number;

  constructor(server: TestServer, patience: number = PATIENCE) {
    labs += 1;
    this.server = server;
    this.#patience = patience;
    this.name = `lab-${process.pid}-${labs}`;
    this.ledger = new Ledger(this.name, this.secret);
  }

  /** An engine on the server, or on a proxy before it. */
  engine(options: LabEngineOptions = {}): Engine {
    const { proxy, max = 4, pool, driver } = options;
    const direct = options.url ?? this.server.url;
    const url = proxy === undefined ? direct : direct.replace(`:${this.server.port}/`, `:${proxy.port}/`);
    const application = `${this.name}-${this.#engines.length + 1}`;
    const permits = new LocalPermits({ max, linger: 250 });
    const dialect = postgresqlDialect({
      driver: createPostgresDriver({
        ...parsePostgresUrl(url, {}),
        applicationName: application,
        connectTimeout: 4_000,
        ...driver,
      }),
    });
    const engine = new Engine({
      dialect,
      permits,
      url: redactPostgresUrl(url),
      pool: { acquireTimeout: 8_000, ...pool },
      echo: (line) => this.#lines.push(line),
    });
    this.#engines.push({ engine, permits, application, counted: options.url === undefined });
    return engine;
  }

  /** A proxy before the server. */
  async proxy(options: { readonly framed?: boolean; readonly port?: number } = {}): Promise<ProxyProcess> {
    const { port = this.server.port, framed = true } = options;
    const proxy = await ProxyProcess.start({ host: this.server.host, port, framed });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Called, last first, when the test is over and before anything is checked. */
  undo(work: () => unknown): void {
    this.#undo.push(work);
  }

  /** Terminates all server processes of an engine and says how many. */
  async terminate(engine: Engine): Promise<number> {
    const pids = await this.backends(engine);
    await this.server.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [pids]);
    for (const pid of pids) await this.until(async () => !(await this.#lives(pid)), `backend ${pid} ended`);
    return pids.length;
  }

  /** The server processes of an engine. */
  async backends(engine: Engine): Promise<number[]> {
    const rows = await this.server.query<{ pid: number }>(
      'select pid from pg_stat_activity where application_name = $1 order by pid',
      [this.applicationOf(engine)],
    );
    return rows.map(({ pid }) => pid);
  }

  applicationOf(engine: Engine): string {
    const found = this.#engines.find((one) => one.engine === engine);
    if (found === undefined) throw new TypeError('That engine is not of this laboratory.');
    return found.application;
  }

  /** Waits for a failure, which is then looked at like all others. */
  async fails(work: Promise<unknown>): Promise<AthanorError> {
    try {
      await work;
    } catch (error) {
      this.#failures.push(error);
      return error as AthanorError;
    }
    throw new TypeError('It was to fail and did not.');
  }

  /** The work must settle within `limit` ms and a little; its outcome comes through. */
  async within<T>(limit: number, what: string, work: () => Promise<T>): Promise<T> {
    const wait: Wait = { what, settled: false };
    this.#waits.push(wait);
    const begun = performance.now();
    try {
      return await work();
    } finally {
      wait.settled = true;
      const took = performance.now() - begun;
      this.figure(what, took);
      const stalled = this.#stall.since(begun);
      if (took > limit + LATE + stalled) {
        const text = `${what} took ${Math.round(took)} ms, its limit was ${limit} (stalled ${Math.round(stalled)})`;
        this.violations.push({ check: 'E', text });
      }
    }
  }

  figure(name: string, milliseconds: number): void {
    const list = this.figures.get(name) ?? [];
    list.push(milliseconds);
    this.figures.set(name, list);
  }

  /** Waits until a proxy's fault has struck. */
  async struck(proxy: ProxyProcess): Promise<void> {
    let struck = false;
    void proxy.struck().then(
      () => (struck = true),
      () => {},
    );
    await this.until(() => struck, 'the fault of a proxy');
  }

  /** Waits until something is so, and fails when it does not come about. */
  async until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
    const end = performance.now() + this.#patience;
    while (!(await condition())) {
      if (performance.now() > end) throw new TypeError(`It did not come about: ${what}.`);
      await sleep(5);
    }
  }

  /** Waits until some server process of an engine is in this state, and gives its pid. */
  async waitingFor(engine: Engine, state: string): Promise<number> {
    let pid = 0;
    await this.until(async () => {
      const rows = await this.server.query<{ pid: number }>(
        'select pid from pg_stat_activity where application_name = $1 and state = $2',
        [this.applicationOf(engine), state],
      );
      pid = rows[0]?.pid ?? 0;
      return pid !== 0;
    }, `a backend in state ${state}`);
    return pid;
  }

  /** Ends the faults and looks at what they left behind. */
  async check(): Promise<void> {
    for (const work of this.#undo.reverse()) await work();
    for (const proxy of this.#proxies) await proxy.order({ fault: 'pass' });
    for (const open of this.#engines) await this.#checkEngine(open);
    await this.#checkLedger();
    this.#checkFailures();
    for (const { what, settled } of this.#waits)
      if (!settled) this.violations.push({ check: 'E', text: `${what} never ended` });
  }

  async close(): Promise<void> {
    for (const { engine, permits } of this.#engines) {
      await engine.close({ timeout: 0 });
      await permits.close();
    }
    for (const proxy of this.#proxies) await proxy.close();
    this.#stall.stop();
  }

  async #lives(pid: number): Promise<boolean> {
    return (await this.server.query('select 1 from pg_stat_activity where pid = $1', [pid])).length > 0;
  }

  async #checkEngine(open: OpenEngine): Promise<void> {
    const { engine } = open;
    if (engine.status.closed) return;
    try {
      await engine.begin((connection) => connection.raw('select 1 as one').one(), { timeout: this.#patience });
    } catch (error) {
      this.#failures.push(error);
      this.violations.push({ check: 'G', text: `the next operation failed: ${String(error)}` });
    }
    let account = '';
    const end = performance.now() + this.#patience;
    do {
      account = await this.#account(open);
      if (account === '') return;
      await sleep(20);
    } while (performance.now() < end);
    this.violations.push({ check: 'C', text: account });
  }

  /** What does not come out even; empty where all does. */
  async #account(open: OpenEngine): Promise<string> {
    const { status } = open.engine;
    const backends = open.counted ? (await this.backends(open.engine)).length : status.open;
    const { held } = open.permits.status;
    const even =
      status.inUse === 0 &&
      status.waiting === 0 &&
      status.connecting === 0 &&
      status.open === status.idle &&
      held === status.open &&
      backends === held;
    return even ? '' : `${status.text}; ${held} permits held; ${backends} backends on the server`;
  }

  async #checkLedger(): Promise<void> {
    const { entries } = this.ledger;
    const rows = await this.server.query<{ work: string; n: number }>(
      'select work, count(*)::int as n from ledger where starts_with(work, $1) group by work',
      [`${this.name}-`],
    );
    const counts = new Map(rows.map(({ work, n }) => [work, n]));
    this.violations.push(...ledgerViolations(entries, counts));
    for (const work of counts.keys()) {
      if (!entries.some((entry) => entry.work === work))
        this.violations.push({ check: 'B', text: `${work} is in the database and was never answered` });
    }
  }

  #checkFailures(): void {
    const failures = [...this.#failures, ...this.ledger.failures];
    for (const error of failures) {
      const bad = badError(error);
      if (bad !== undefined) this.violations.push({ check: 'D', text: bad });
    }
    const shown = [
      ...failures.map(shownBy),
      ...this.#lines,
      ...this.#engines.map(({ engine }) => inspect(engine, { depth: 12, showHidden: true }) + JSON.stringify(engine)),
    ];
    for (const secret of [this.secret, this.server.password]) {
      const leak = shown.find((text) => text.includes(secret));
      if (leak !== undefined) this.violations.push({ check: 'F', text: `a secret is shown in: ${leak.slice(0, 400)}` });
    }
  }
}
