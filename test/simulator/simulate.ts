// Runs one schedule: the real pool, permits and engine in virtual time on a server that is unreliable on purpose. After
// every step the invariants are looked at, and in the end what clients were told is held against what the server did.
import { getEventListeners } from 'node:events';
import { postgresqlDialect } from '../../src/dialects/postgresql/dialect.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Lease } from '../../src/pool/lease.ts';
import { LocalPermits } from '../../src/pool/local-permits.ts';
import type { AcquireOptions, Pool } from '../../src/pool/pool.ts';
import { Random } from '../random.ts';
import { type Claim, Client, type World } from './client.ts';
import type { Schedule } from './schedule.ts';
import { SimServer } from './server.ts';
import { settled, VirtualTime } from './virtual-time.ts';

export interface Report {
  readonly failure: string | undefined;
  readonly steps: number;
  readonly happened: ReadonlyMap<string, number>;
  readonly committed: number;
}

/** Steps after which a schedule is taken for one that never ends. */
const MOST_STEPS = 200_000;

/** Longer than any reset or goodbye takes, in ms. */
const REST = 6_000;

class Simulation {
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #time: VirtualTime;
  readonly #server: SimServer;
  readonly #permits: LocalPermits;
  readonly #engine: Engine;
  readonly #world: World;
  /** Checkouts that wait, in the order they asked. */
  readonly #line: { readonly controller: AbortSignal | undefined }[] = [];
  #steps = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#random = new Random(schedule.seed ^ 0x51);
    this.#time = new VirtualTime(schedule.seed ^ 0x7157);
    this.#time.install();
    this.#server = new SimServer(this.#time, new Random(schedule.seed ^ 0xface), schedule.faults);
    this.#permits = new LocalPermits({ max: schedule.permits });
    // What a pool draws is drawn here too; an engine has no way to say so.
    const pool = { ...schedule.pool, random: () => Math.random() };
    this.#engine = new Engine({
      dialect: postgresqlDialect({ driver: this.#server }),
      permits: this.#permits,
      url: 'postgresql://simulated/db',
      pool,
    });
    this.#watchLine(this.#engine.pool);
    const { registries } = this.#time;
    this.#world = {
      time: this.#time,
      engine: this.#engine,
      claims: [],
      violations: this.#server.violations,
      controllers: [],
      happened: new Map(),
      forget: (id) =>
        registries.collect((held) => typeof held === 'object' && held !== null && 'id' in held && held.id === id),
    };
  }

  async run(): Promise<Report> {
    try {
      const failure = await this.#play();
      return { failure, steps: this.#steps, happened: this.#world.happened, committed: this.#server.committed.size };
    } finally {
      this.#time.uninstall();
    }
  }

  async #play(): Promise<string | undefined> {
    const { clients, tasks, blows, closesEarly } = this.#schedule;
    const all = Array.from({ length: clients }, (_, i) =>
      new Client(this.#world, `c${i}`, this.#random.fork()).run(tasks),
    );
    let working = clients;
    for (const one of all) void one.then(() => (working -= 1));
    if (blows !== undefined) this.#blow(blows, () => working > 0);
    let ending: Promise<void> | undefined;
    if (closesEarly) this.#time.timer(this.#random.int(1_000), () => (ending = this.#close()));
    const played = await this.#until(() => working === 0);
    const idle = played ?? (ending === undefined ? await this.#idle() : undefined);
    if (idle !== undefined) return idle;
    ending ??= this.#close();
    let closed = false;
    void ending.then(() => (closed = true));
    const wrong = await this.#until(() => closed);
    return wrong ?? (await this.#rest());
  }

  /** Nobody wants anything any more: what was lent has come back, and nobody is left waiting. */
  async #idle(): Promise<string | undefined> {
    for (const until = this.#time.now + REST; this.#time.step(until); ) {
      await settled();
      const wrong = this.#wrong();
      if (wrong !== undefined) return wrong;
    }
    const { status } = this.#engine.pool;
    return status.inUse + status.waiting > 0 ? `nobody is at work, and yet: ${status.text}` : undefined;
  }

  /** Closing ends in time whatever happens. */
  async #close(): Promise<void> {
    const timeout = this.#random.pick([0, 100, 5_000]);
    const start = this.#time.now;
    await this.#engine.close({ timeout });
    if (this.#time.now > start + timeout + 2_500)
      this.#world.violations.push(`close took ${this.#time.now - start} ms`);
  }

  async #until(over: () => boolean): Promise<string | undefined> {
    for (;;) {
      await settled();
      this.#steps += 1;
      const wrong = this.#wrong();
      if (wrong !== undefined) return wrong;
      if (over()) return undefined;
      if (this.#steps > MOST_STEPS) return 'it never ends';
      if (!this.#time.step()) return 'somebody waits, and nothing will happen any more';
    }
  }

  /** What must hold at any time. */
  #wrong(): string | undefined {
    const { pool } = this.#engine;
    const { status } = pool;
    const { permits, pool: settings } = this.#schedule;
    const { held } = this.#permits.status;
    const sessions = this.#server.sessions.size;
    if (this.#server.violations.length > 0) return this.#server.violations[0];
    if (sessions > permits) return `${sessions} sessions on ${permits} permits`;
    if (held > permits) return `${held} permits are held of ${permits}`;
    if (held < sessions) return `${held} permits are held for ${sessions} sessions`;
    if (status.open > (settings.max ?? permits))
      return `${status.open} connections are open, and ${settings.max} may be`;
    if (status.open > status.idle + status.inUse + status.closing + status.connecting)
      return `connections are lost from the books: ${status.text}`;
    if (status.waiting > status.connecting && status.idle > 0)
      return `somebody waits beside an idle connection: ${status.text}`;
    // For the minimum one more may be asked for while an attempt is slow.
    const enough = status.open >= (settings.min ?? 0);
    if (status.waiting === 0 && enough && this.#permits.status.waiting > 0)
      return `a permit is asked for that nobody needs: ${status.text}`;
    if (new Set(status.holders.map(({ connectionId }) => connectionId)).size !== status.holders.length)
      return 'one connection has two holders';
    return undefined;
  }

  /** What must hold when all is over. */
  async #rest(): Promise<string | undefined> {
    const told = this.#world.claims.map((claim) => this.#broken(claim)).find((broken) => broken !== undefined);
    // Permits and sessions of connections that were dropped are free a little later; nothing else is left.
    for (const until = this.#time.now + 5_000; this.#time.step(until); ) await settled();
    await settled();
    if (told !== undefined) return told;
    const late = this.#world.claims.map((claim) => this.#broken(claim)).find((broken) => broken !== undefined);
    if (late !== undefined) return `later, ${late}`;
    // Signals of clients fire when they fire; they are not the engine's.
    while (this.#time.timers > 0 && this.#steps < MOST_STEPS && this.#pendingSignals()) this.#time.step();
    if (this.#time.timers > 0) return `${this.#time.timers} timers are left`;
    if (this.#permits.status.held > 0) return `${this.#permits.status.held} permits were never given back`;
    if (this.#server.sessions.size > 0) return `${this.#server.sessions.size} sessions are left`;
    const listeners = this.#world.controllers.reduce(
      (sum, { signal }) => sum + getEventListeners(signal, 'abort').length,
      0,
    );
    if (listeners > 0) return `${listeners} listeners are left on signals`;
    return this.#wrong();
  }

  #pendingSignals(): boolean {
    return this.#world.controllers.some(({ signal }) => !signal.aborted);
  }

  #broken({ transaction, marks, verdict }: Claim): string | undefined {
    const there = [...this.#server.committed].filter((mark) => mark.startsWith(`${transaction}.`));
    const whole = there.length === marks.length && marks.every((mark) => this.#server.committed.has(mark));
    if (verdict === 'committed' && !whole)
      return `${transaction} was told that ${marks.join()} are there; there are ${there.join() || 'none'}`;
    if (verdict === 'not committed' && there.length > 0)
      return `${transaction} was told that nothing is there; there are ${there.join()}`;
    if (verdict === 'unknown' && !whole && there.length > 0)
      return `of ${transaction} only a part is there: ${there.join()} of ${marks.join()}`;
    return undefined;
  }

  // --- the world around it -------------------------------------------------------------------------------------

  /** Now and then something happens that no client asked for. */
  #blow(pause: number, working: () => boolean): void {
    this.#time.timer(this.#random.int(pause * 2), () => {
      if (!working()) return;
      this.#strike();
      this.#blow(pause, working);
    });
  }

  #strike(): void {
    const { pool } = this.#engine;
    const what = this.#random.pick(['kill', 'kill', 'restart', 'recall', 'invalidate', 'dispose', 'calm'] as const);
    const connections = [...this.#server.connections];
    this.#world.happened.set(what, (this.#world.happened.get(what) ?? 0) + 1);
    switch (what) {
      case 'kill':
        return connections.length > 0
          ? this.#random.pick(connections).lose(this.#random.pick(['said', 'reset', 'silent'] as const))
          : undefined;
      case 'restart':
        for (const connection of connections) connection.lose('reset');
        return undefined;
      case 'recall':
        return this.#permits.onRecall?.(this.#random.between(1, 3));
      case 'invalidate':
        return pool.invalidate();
      case 'dispose':
        this.#engine
          .dispose()
          .catch((error: unknown) => this.#world.violations.push(`dispose failed: ${String(error)}`));
        return undefined;
      case 'calm':
        return undefined;
    }
  }

  /** Whoever asked first is served first. */
  #watchLine(pool: Pool): void {
    const acquire = pool.acquire.bind(pool);
    pool.acquire = async (options: AcquireOptions): Promise<Lease> => {
      const place = { controller: options.signal };
      this.#line.push(place);
      try {
        const lease = await acquire(options);
        if (this.#line[0] !== place) this.#world.violations.push('somebody was served before another who asked first');
        return lease;
      } finally {
        this.#line.splice(this.#line.indexOf(place), 1);
      }
    };
  }
}

/** Runs a schedule. Never rejects. */
export async function simulate(schedule: Schedule): Promise<Report> {
  try {
    return await new Simulation(schedule).run();
  } catch (error) {
    return {
      failure: `thrown: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
      steps: 0,
      happened: new Map(),
      committed: 0,
    };
  }
}
