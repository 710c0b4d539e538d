// The real broker core in a world where everything takes a random time: lines, connects, the server's own list.
// Processes are killed, lines break, brokers die and are replaced, frames come twice. After every event the world is
// checked: what the server really has, half made connections included, is never above the budget.
import assert from 'node:assert/strict';
import { Broker, type BrokerAction } from '../../src/process/broker/broker.ts';
import type { BrokerMessage, ClientMessage, PermitRecord } from '../../src/process/messages.ts';
import { sessionName } from '../../src/process/broker/permit-ledger.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly budget: number;
  readonly processes: number;
  /** How long things go wrong, in milliseconds of the simulation. */
  readonly duration: number;
  /** A broker made wrong on purpose, which the simulation must find out. */
  readonly weakness?: 'no roll-call' | 'no settling' | 'old list' | undefined;
}

export interface SimulationReport {
  readonly granted: number;
  readonly refused: number;
  readonly kills: number;
  readonly brokers: number;
  readonly recalled: number;
  readonly terminated: number;
  /** Most connections the server ever had at once, the broker's own left out. */
  readonly peak: number;
}

const TAG = '0123456789';
const WAIT = 3000;

interface Session {
  readonly pid: number;
  readonly start: string;
  readonly name: string;
  /** On the server's list; before that it is half made, and counts all the same. */
  listed: boolean;
}

interface Permit {
  session: Session | undefined;
  identity: { pid: number; start: string } | undefined;
  state: 'connecting' | 'idle' | 'busy' | 'closing';
}

class Process {
  readonly pid: number;
  readonly member: string;
  alive = true;
  /** The broker's number for its line; a new one for each line. */
  line: number | undefined;
  epoch = 0;
  request = 0;
  readonly wants = new Map<number, number>();
  readonly permits = new Map<string, Permit>();
  /** Given back as doubtful while there was no line: the next broker is told. */
  readonly doubtful = new Map<string, Permit['identity']>();
  constructor(pid: number) {
    this.pid = pid;
    this.member = `${pid}.0.a`;
  }
}

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #agenda: { at: number; order: number; run: () => void }[] = [];
  readonly #sessions = new Set<Session>();
  readonly #members = new Map<string, Process>();
  readonly #lines = new Map<number, { process: Process; broker: Broker; clearAt: number }>();
  readonly #ids = new Set<string>();
  #processes: Process[] = [];
  #broker: Broker | undefined;
  #now = 0;
  #order = 0;
  #random: number;
  #pids = 100;
  #lineNumber = 0;
  #epoch = 1000;
  #calm = false;
  #report = { granted: 0, refused: 0, kills: 0, brokers: 0, recalled: 0, terminated: 0, peak: 0 };

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = options.seed | 0 || 1;
  }

  run(): SimulationReport {
    this.#startBroker();
    for (let i = 0; i < this.#options.processes; i += 1) this.#startProcess();
    this.#later(200, 600, () => this.#mischief());
    this.#runUntil(this.#options.duration);
    this.#calm = true;
    this.#runUntil(this.#options.duration + 60_000);
    this.#checkRest();
    return this.#report;
  }

  #runUntil(end: number): void {
    for (;;) {
      const [next] = this.#agenda;
      if (next === undefined || next.at > end) break;
      this.#agenda.shift();
      this.#now = next.at;
      next.run();
      this.#check();
    }
    this.#now = end;
  }

  /** I1: the server never has more than the budget. I4: no want outlives its deadline by much. */
  #check(): void {
    const open = this.#sessions.size;
    this.#report.peak = Math.max(this.#report.peak, open);
    assert.ok(open + 1 <= this.#options.budget, `${open} + 1 connections on a budget of ${this.#options.budget}`);
    const counts = this.#broker?.counts;
    if (counts?.budget !== undefined) {
      // I2
      assert.equal(counts.free + counts.granted + counts.quarantined, counts.budget - 1);
      if (this.#broker?.ready === true) assert.ok(counts.free >= 0, 'the budget is overdrawn');
    }
    for (const process of this.#processes) {
      for (const deadline of process.wants.values()) assert.ok(this.#now <= deadline + 1000, 'a want is stuck');
    }
  }

  /** When all is quiet: nothing is lost, nothing is left. */
  #checkRest(): void {
    for (const { permits, wants } of this.#processes) assert.deepEqual([permits.size, wants.size], [0, 0]);
    assert.equal(this.#sessions.size, 0);
    const { granted, quarantined, free } = this.#broker?.counts ?? {};
    assert.deepEqual({ granted, quarantined, free }, { granted: 0, quarantined: 0, free: this.#options.budget - 1 });
  }

  // ---- the broker

  #startBroker(): void {
    this.#epoch += 1;
    this.#report.brokers += 1;
    const { weakness } = this.#options;
    const members = weakness === 'no roll-call' ? [] : [...this.#members.keys()];
    const times = weakness === 'no settling' ? { settle: 0, connect: 0 } : {};
    const broker = new Broker({ tag: TAG, epoch: this.#epoch, pid: 1, members, times }, this.#now);
    this.#broker = broker;
    this.#sweep(broker);
    this.#tick(broker);
  }

  /** As the shell does: tells of members that are dead, every 100 ms. */
  #sweep(broker: Broker): void {
    if (this.#broker !== broker) return;
    for (const [member, process] of [...this.#members]) {
      if (process.alive) continue;
      this.#members.delete(member);
      this.#do(broker, broker.died(member, this.#now));
    }
    this.#later(100, 100, () => this.#sweep(broker));
  }

  #tick(broker: Broker): void {
    if (this.#broker === broker) this.#do(broker, broker.tick(this.#now));
  }

  #do(broker: Broker, actions: readonly BrokerAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') this.#deliver(action.client, action.message);
      else if (action.type === 'cut') assert.fail(`an honest process was cut: ${action.reason}`);
      else if (action.type === 'survey') this.#survey(broker, action.check);
      else this.#terminate(action.session);
    }
    const { wakeAt } = broker;
    if (wakeAt !== undefined) this.#at(Math.max(wakeAt, this.#now + 1), () => this.#tick(broker));
  }

  #survey(broker: Broker, check: readonly { pid: number; start?: string | undefined }[]): void {
    if (!this.#calm && this.#chance(0.05)) {
      const failure = { athanor: 'error', kind: 'Error', name: 'Error', message: 'no route', fields: {} } as const;
      this.#later(5, 50, () => this.#answer(broker, () => broker.surveyFailed(failure, true, this.#now)));
      return;
    }
    this.#later(1, 20, () => {
      const blind = this.#options.weakness === 'old list';
      const listed = blind ? [] : [...this.#sessions].filter((session) => session.listed);
      const sessions = listed.map(({ pid, start, name }) => ({ pid, start, applicationName: name }));
      this.#later(1, 20, () => {
        const there = (pid: number): boolean => [...this.#sessions].some((session) => session.pid === pid);
        const alive = this.#options.weakness === 'old list' ? [] : check.filter(({ pid }) => there(pid));
        const limits = { available: this.#options.budget, others: 0, text: 'simulated' };
        this.#later(1, 20, () => {
          this.#answer(broker, () => broker.surveyed({ sessions, alive, limits }, this.#now));
        });
      });
    });
  }

  #answer(broker: Broker, run: () => BrokerAction[]): void {
    if (this.#broker === broker) this.#do(broker, run());
  }

  #terminate(identity: { pid: number }): void {
    this.#report.terminated += 1;
    for (const session of this.#sessions) {
      if (session.pid !== identity.pid) continue;
      assert.ok(!this.#holder(session)?.alive, 'a living process lost its connection');
      this.#later(1, 10, () => this.#sessions.delete(session));
    }
  }

  #holder(session: Session): Process | undefined {
    return this.#processes.find((process) =>
      [...process.permits.values()].some((permit) => permit.session === session),
    );
  }

  // ---- lines

  #send(process: Process, message: ClientMessage): void {
    const number = process.line;
    const line = number === undefined ? undefined : this.#lines.get(number);
    if (number === undefined || line === undefined) return;
    line.clearAt = Math.max(line.clearAt, this.#now + this.#between(0, 5));
    const arrive = (): void => this.#answer(line.broker, () => line.broker.receive(number, message, this.#now));
    this.#at(line.clearAt, arrive);
    // I8: a frame that comes again, late, changes nothing.
    if (message.type !== 'hello' && this.#chance(0.1)) this.#at(line.clearAt + this.#between(0, 50), arrive);
  }

  #deliver(number: number, message: BrokerMessage): void {
    const line = this.#lines.get(number);
    if (line === undefined) return;
    this.#later(0, 5, () => {
      if (line.process.line === number && line.process.alive) this.#hear(line.process, message);
    });
  }

  #connect(process: Process): void {
    const broker = this.#broker;
    if (!process.alive || process.line !== undefined) return;
    if (broker === undefined) {
      this.#later(5, 50, () => this.#connect(process));
      return;
    }
    this.#lineNumber += 1;
    const number = this.#lineNumber;
    process.line = number;
    this.#lines.set(number, { process, broker, clearAt: this.#now });
    const hello = {
      type: 'hello',
      token: 't',
      member: process.member,
      pid: process.pid,
      thread: 0,
      epoch: process.epoch,
      application: '',
      limit: null,
    } as const;
    this.#do(broker, broker.join(number, hello, this.#now));
  }

  #welcomed(process: Process, epoch: number): void {
    process.epoch = epoch;
    const permits: PermitRecord[] = [];
    for (const [id, { identity }] of process.permits) permits.push({ id, ...identity });
    for (const [id, identity] of process.doubtful) permits.push({ id, ...identity });
    this.#send(process, { type: 'have', permits, last: true });
    for (const id of process.doubtful.keys()) this.#send(process, { type: 'closed', id, clean: false });
    process.doubtful.clear();
    for (const [request, deadline] of process.wants) {
      this.#send(process, { type: 'want', request, wait: Math.max(0, deadline - this.#now) });
    }
  }

  #broke(number: number, alive: boolean): void {
    const line = this.#lines.get(number);
    if (line === undefined) return;
    this.#lines.delete(number);
    // The end of a line comes after what was sent on it.
    this.#at(Math.max(line.clearAt, this.#now + this.#between(0, 5)), () => {
      this.#answer(line.broker, () => line.broker.leave(number, alive, this.#now));
    });
    if (line.process.line === number) line.process.line = undefined;
    if (alive) this.#later(1, 300, () => this.#connect(line.process));
  }

  // ---- processes

  #startProcess(): void {
    this.#pids += 1;
    const process = new Process(this.#pids);
    this.#processes.push(process);
    this.#members.set(process.member, process);
    this.#later(0, 50, () => this.#connect(process));
    this.#later(0, 100, () => this.#work(process));
  }

  #work(process: Process): void {
    if (!process.alive || this.#calm) {
      this.#closeIdle(process, Infinity);
      return;
    }
    const idle = [...process.permits.values()].find((permit) => permit.state === 'idle');
    if (idle !== undefined) {
      idle.state = 'busy';
      this.#later(1, 300, () => {
        idle.state = 'idle';
        if (this.#calm || this.#chance(0.1)) this.#closeIdle(process, 1);
      });
    } else if (process.wants.size < 3) {
      process.request += 1;
      const request = process.request;
      process.wants.set(request, this.#now + WAIT);
      this.#send(process, { type: 'want', request, wait: WAIT });
      this.#at(this.#now + WAIT + 100, () => this.#giveUp(process, request));
    }
    this.#later(1, 200, () => this.#work(process));
  }

  #giveUp(process: Process, request: number): void {
    if (!process.wants.delete(request) || !process.alive) return;
    this.#report.refused += 1;
    this.#send(process, { type: 'cancel', request });
  }

  #hear(process: Process, message: BrokerMessage): void {
    if (message.type === 'welcome') this.#welcomed(process, message.epoch);
    else if (message.type === 'grant') this.#granted(process, message);
    else if (message.type === 'refuse') {
      if (process.wants.delete(message.request)) this.#report.refused += 1;
    } else if (message.type === 'recall') {
      this.#report.recalled += message.count;
      this.#closeIdle(process, message.count);
    }
  }

  #granted(process: Process, { id, request, epoch }: { id: string; request: number; epoch: number }): void {
    assert.equal(epoch, process.epoch, 'a grant of another epoch arrived'); // I3
    assert.ok(!this.#ids.has(id), `permit ${id} was given twice`); // I10
    this.#ids.add(id);
    this.#report.granted += 1;
    if (!process.wants.delete(request)) {
      this.#send(process, { type: 'closed', id, clean: true });
      return;
    }
    const permit: Permit = { session: undefined, identity: undefined, state: 'connecting' };
    process.permits.set(id, permit);
    this.#later(0, 40, () => {
      if (!process.alive) return;
      this.#pids += 1;
      const session = {
        pid: this.#pids,
        start: `s${this.#pids}`,
        name: sessionName(TAG, process.pid, id),
        listed: false,
      };
      this.#sessions.add(session);
      permit.session = session;
      this.#later(1, this.#chance(0.2) ? 900 : 60, () => this.#opened(process, id, permit));
    });
  }

  #opened(process: Process, id: string, permit: Permit): void {
    const { session } = permit;
    if (!process.alive || session === undefined) return;
    session.listed = true;
    permit.identity = { pid: session.pid, start: session.start };
    permit.state = 'idle';
    this.#send(process, { type: 'opened', id, ...permit.identity });
    if (this.#calm) this.#closeIdle(process, 1);
  }

  #closeIdle(process: Process, count: number): void {
    let left = count;
    for (const [id, permit] of process.permits) {
      if (left <= 0) return;
      if (permit.state !== 'idle') continue;
      left -= 1;
      permit.state = 'closing';
      // Sometimes the server's end is not seen to close: it lingers, and the permit is given back as doubtful.
      const clean = !this.#chance(0.2);
      this.#later(1, 20, () => {
        if (!process.alive) return;
        if (clean) this.#sessions.delete(permit.session as Session);
        else this.#linger(permit.session);
        process.permits.delete(id);
        this.#release(process, { id, identity: permit.identity }, clean);
      });
    }
  }

  /** The next `have` leaves a permit out that was given back while the line was down, but for a doubtful one. */
  #release(process: Process, { id, identity }: { id: string; identity: Permit['identity'] }, clean: boolean): void {
    if (process.line !== undefined) this.#send(process, { type: 'closed', id, clean });
    else if (!clean) process.doubtful.set(id, identity);
  }

  // ---- what goes wrong

  #mischief(): void {
    if (this.#calm) return;
    const dice = this.#between(0, 100);
    const victim = this.#processes.filter(({ alive }) => alive)[this.#between(0, this.#options.processes - 1)];
    if (dice < 40 && victim !== undefined) this.#kill(victim);
    else if (dice < 60 && victim?.line !== undefined) this.#broke(victim.line, true);
    else if (dice < 80 && this.#broker !== undefined) this.#killBroker();
    this.#later(100, 800, () => this.#mischief());
  }

  #kill(process: Process): void {
    this.#report.kills += 1;
    process.alive = false;
    for (const { session } of process.permits.values()) this.#linger(session);
    process.permits.clear();
    process.doubtful.clear();
    process.wants.clear();
    if (process.line !== undefined) this.#broke(process.line, false);
    this.#later(50, 500, () => this.#startProcess());
  }

  /** The server notices a dead client at once, or at the end of its statement; a half made one soon. */
  #linger(session: Session | undefined): void {
    if (session === undefined) return;
    if (!session.listed) this.#later(1, 200, () => this.#sessions.delete(session));
    else this.#later(1, this.#chance(0.3) ? 8000 : 30, () => this.#sessions.delete(session));
  }

  #killBroker(): void {
    this.#broker = undefined;
    for (const number of [...this.#lines.keys()]) this.#broke(number, true);
    this.#later(30, 400, () => this.#startBroker());
  }

  // ---- time and chance

  #later(least: number, most: number, run: () => void): void {
    this.#at(this.#now + this.#between(least, most), run);
  }

  #at(at: number, run: () => void): void {
    this.#order += 1;
    const event = { at, order: this.#order, run };
    let place = this.#agenda.length;
    while (place > 0 && (this.#agenda[place - 1]?.at ?? 0) > at) place -= 1;
    this.#agenda.splice(place, 0, event);
  }

  #chance(probability: number): boolean {
    return this.#next() < probability;
  }

  #between(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1));
  }

  /** A small generator of its own (mulberry32), so that a seed is a whole story. */
  #next(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}
