// The broker: who may hold a server connection. A pure, synchronous state machine: events in, actions out, the clock
// passed in, no I/O, so that all of it can be explored by a model test. Its one law: connections that live, are half
// made, or linger after their process died, never exceed the budget. It grants nothing it has not accounted for.
import type { ServerIdentity } from '../../driver/driver.ts';
import type { ListedSession, ServerLimits } from '../../driver/monitor.ts';
import type { SerializedError } from '../../errors/serialize.ts';
import { BrokerClient } from './broker-client.ts';
import { BudgetSize } from './budget-size.ts';
import { nextWaiter, recalls } from './fair-share.ts';
import type { BrokerMessage, ClientMessage, Hello, HolderFact, RefusalFacts } from '../messages.ts';
import {
  type GrantedPermit,
  PermitLedger,
  type QuarantinedPermit,
  sameSession,
  sessionOwner,
} from './permit-ledger.ts';
import { RollCall } from './roll-call.ts';
import { SurveySchedule, type Urgency } from './survey-schedule.ts';

export interface BrokerOptions {
  /** Stands in the application_name of every connection under this budget. */
  readonly tag: string;
  /** Greater than that of every broker before. */
  readonly epoch: number;
  /** The process that hosts it. */
  readonly pid: number;
  /** Members that must be heard, seen dead or passed over before the first grant. */
  readonly members?: readonly string[];
  readonly times?: Partial<BrokerTimes>;
}

/** Milliseconds. */
export interface BrokerTimes {
  /** After its client died, a connection half made is on the server's list, or gone, within this. */
  readonly settle: number;
  /** The same for a client that cut its line but may live: as long as it may take to connect. */
  readonly connect: number;
  /** A dead client's connection is ended by the server's own means after this. */
  readonly terminate: number;
  /** No permit younger than this is asked back. */
  readonly keep: number;
  /** A client not heard of for this long gets no new permit. */
  readonly silence: number;
  /** A roll-call passes over who has not answered in this. */
  readonly rollCall: number;
  /** A permit that came free is known to have been, for this long. */
  readonly remember: number;
}

const TIMES: BrokerTimes = {
  settle: 500,
  connect: 15_000,
  terminate: 2000,
  keep: 250,
  silence: 6000,
  rollCall: 15_000,
  remember: 60_000,
};

type Have = Extract<ClientMessage, { type: 'have' }>;

/** What the server said. */
export interface Survey {
  readonly sessions: readonly ListedSession[];
  /** Which of `check` the server still has. */
  readonly alive: readonly ServerIdentity[];
  readonly limits: ServerLimits;
}

/** What the caller is to do. */
export type BrokerAction =
  | { readonly type: 'send'; readonly client: number; readonly message: BrokerMessage }
  | { readonly type: 'cut'; readonly client: number; readonly reason: string }
  /** Ask the server; answer by `surveyed` or `surveyFailed`. Never two at once. */
  | { readonly type: 'survey'; readonly check: readonly ServerIdentity[]; readonly ours: readonly ServerIdentity[] }
  | { readonly type: 'terminate'; readonly session: ServerIdentity };

export class Broker {
  readonly epoch: number;
  readonly #tag: string;
  readonly #pid: number;
  readonly #times: BrokerTimes;
  readonly #ledger = new PermitLedger();
  readonly #size = new BudgetSize();
  readonly #roll: RollCall;
  readonly #clients = new Map<number, BrokerClient>();
  /** Processes that were passed over: their connections are counted, never ended. */
  readonly #spared = new Set<number>();
  #out: BrokerAction[] = [];
  #order = 0;
  #permits = 0;
  #ready = false;
  readonly #surveys: SurveySchedule;
  #told: number | undefined;

  constructor(options: BrokerOptions, now: number) {
    this.epoch = options.epoch;
    this.#tag = options.tag;
    this.#pid = options.pid;
    this.#times = { ...TIMES, ...options.times };
    this.#roll = new RollCall(options.members ?? [], now, this.#times.rollCall);
    this.#surveys = new SurveySchedule(now);
  }

  /** Whether all is accounted for, so that permits may be granted. */
  get ready(): boolean {
    return this.#ready;
  }
  /** The counts that must always add up: `free` is below zero while the budget is overdrawn after it shrank. */
  get counts(): {
    readonly budget: number | undefined;
    readonly granted: number;
    readonly quarantined: number;
    readonly free: number;
  } {
    const { granted, quarantined } = this.#ledger;
    return { budget: this.#size.size, granted: granted.size, quarantined: quarantined.size, free: this.#free() };
  }
  /** Members of the roll-call still missing. */
  get missing(): readonly string[] {
    return this.#roll.missing;
  }
  get clients(): number {
    return this.#clients.size;
  }

  /** A process said hello; its token was right. */
  join(id: number, hello: Hello, now: number): BrokerAction[] {
    for (const other of this.#clients.values()) if (other.hello.member === hello.member) this.#remove(other, true, now);
    this.#clients.set(id, new BrokerClient(id, hello, now));
    this.#limit();
    this.#send(id, {
      type: 'welcome',
      epoch: this.epoch,
      budget: this.#size.size ?? null,
      tag: this.#tag,
      pid: this.#pid,
    });
    return this.#serve(now);
  }

  receive(id: number, message: ClientMessage, now: number): BrokerAction[] {
    const client = this.#clients.get(id);
    if (client === undefined) return [];
    client.seen = now;
    const fault = this.#hear(client, message, now);
    if (fault !== undefined) {
      this.#out.push({ type: 'cut', client: id, reason: fault });
      this.#remove(client, true, now);
    }
    return this.#serve(now);
  }

  /** A process's line ended. `alive`: the process itself may still run. */
  leave(id: number, alive: boolean, now: number): BrokerAction[] {
    const client = this.#clients.get(id);
    if (client !== undefined) this.#remove(client, alive, now);
    return this.#serve(now);
  }

  /** A member was seen dead. */
  died(member: string, now: number): BrokerAction[] {
    this.#roll.died(member, now, this.#times.settle);
    // Its broker may have died with it, and that one's own connection must be gone before ours is opened.
    if (this.#surveys.listedAt === -Infinity) this.#surveys.notBefore(now + this.#times.settle / 2);
    for (const entry of this.#ledger.quarantined.values()) {
      if (entry.owner !== pidOf(member)) continue;
      entry.listedFrom = Math.min(entry.listedFrom, now + this.#times.settle);
      entry.terminateAt = Math.min(entry.terminateAt ?? Infinity, entry.since + this.#times.terminate);
    }
    return this.#serve(now);
  }

  /** A member took its file away: it holds nothing. */
  resigned(member: string, now: number): BrokerAction[] {
    this.#roll.left(member);
    return this.#serve(now);
  }

  surveyed(survey: Survey, now: number): BrokerAction[] {
    const asked = this.#surveys.answered(now);
    this.#size.read(survey.limits);
    this.#reconcile(survey, asked, now);
    this.#ledger.forgetFreed(now - this.#times.remember);
    this.#becomeReady();
    this.#surveys.plan(this.#urgency(), now);
    return this.#serve(now);
  }

  /** The server could not be asked. Where it never could and trying again is useless, all who wait are told. */
  surveyFailed(error: SerializedError, retryable: boolean, now: number): BrokerAction[] {
    this.#surveys.failed(error.message.split('\n', 1)[0] ?? '', now);
    if (!this.#ready && !retryable) {
      for (const client of this.#clients.values()) {
        for (const request of [...client.wants.keys()]) this.#refuse(client, { request, error }, now);
      }
    }
    return this.#serve(now);
  }

  /** Does what time brings. Call it at `wakeAt`. */
  tick(now: number): BrokerAction[] {
    return this.#serve(now);
  }

  /** When `tick` must be called at the latest; `undefined` if nothing waits for time. */
  get wakeAt(): number | undefined {
    let at = this.#roll.deadline ?? Infinity;
    let waiting = false;
    for (const client of this.#clients.values()) {
      for (const want of client.wants.values()) at = Math.min(at, want.deadline);
      waiting ||= client.wants.size > 0;
    }
    for (const { identity, terminateAt } of this.#ledger.quarantined.values()) {
      if (identity !== undefined) at = Math.min(at, terminateAt ?? Infinity);
    }
    if (!this.#surveys.asking && this.#surveyNeeded()) at = Math.min(at, this.#surveyDue());
    if (this.#ready && (waiting || this.#free() < 0)) at = Math.min(at, this.#lastServe + this.#times.keep);
    return at === Infinity ? undefined : at;
  }
  #lastServe = 0;

  #hear(client: BrokerClient, message: ClientMessage, now: number): string | undefined {
    switch (message.type) {
      case 'hello':
        return 'said hello twice';
      case 'have':
        return client.enrolled ? undefined : this.#enrol(client, message, now);
      case 'want': {
        const { request, wait } = message;
        const want = { request, order: (this.#order += 1), since: now, deadline: now + wait };
        return client.want(want) ? undefined : 'asked for too many permits at once';
      }
      case 'cancel':
        client.wants.delete(message.request);
        return undefined;
      case 'opened': {
        const permit = this.#ledger.granted.get(message.id);
        if (permit?.client === client.id) permit.identity = identityOf(message);
        return undefined;
      }
      case 'closed':
        this.#closed(client, message, now);
        return undefined;
      case 'full':
        this.#surveys.plan('quarantine', now);
        return undefined;
      case 'beat':
        return undefined;
      default:
        return message satisfies never;
    }
  }

  #enrol(client: BrokerClient, { permits, last }: Have, now: number): string | undefined {
    for (const record of permits) {
      if (!this.#wasIssued(record.id)) return 'holds a permit that was never granted';
      const { id, pid, start } = record;
      // The server has confirmed that it is gone, or its holder that it gave it back: the holder only said it again.
      if (this.#ledger.wasFreed(id)) continue;
      const identity = pid === undefined ? undefined : identityOf({ pid, start });
      if (!this.#ledger.claim({ id, client: client.id, identity }, now)) return 'holds a permit of another process';
    }
    if (!last) return undefined;
    client.enrolled = true;
    const { member, epoch } = client.hello;
    if (epoch === 0) this.#roll.left(member);
    else this.#roll.answered(member, now);
    return undefined;
  }

  /** Of this epoch only what was granted in it; of older ones nobody knows any more. */
  #wasIssued(id: string): boolean {
    const [epoch = '', number = ''] = id.split('-');
    const from = Number.parseInt(epoch, 36);
    return from < this.epoch || (from === this.epoch && Number.parseInt(number, 36) <= this.#permits);
  }

  #closed(client: BrokerClient, { id, clean }: { readonly id: string; readonly clean: boolean }, now: number): void {
    const permit = this.#ledger.granted.get(id);
    if (permit?.client !== client.id) return;
    client.gaveBack();
    if (clean) this.#ledger.free(id, now);
    else this.#isolate(permit, { owner: client.hello.pid, ...this.#times }, now);
  }

  #remove(client: BrokerClient, alive: boolean, now: number): void {
    this.#clients.delete(client.id);
    const { settle, connect, terminate, rollCall } = this.#times;
    const waits = alive ? { settle: connect, terminate: rollCall } : { settle, terminate };
    for (const permit of this.#ledger.of(client.id)) this.#isolate(permit, { owner: client.hello.pid, ...waits }, now);
    this.#limit();
  }

  #isolate(
    { id, identity }: GrantedPermit,
    { owner, settle, terminate }: { readonly owner: number; readonly settle: number; readonly terminate: number },
    now: number,
  ): void {
    const listedFrom = identity === undefined ? now + settle : now;
    this.#ledger.quarantine({ id, owner, since: now, listedFrom, identity, terminateAt: now + terminate });
    this.#surveys.soon(now);
  }

  /** Brings the books in line with the server's list, which was asked for at `asked`. */
  #reconcile(survey: Survey, asked: number, now: number): void {
    const listed = new Set<string>();
    for (const session of survey.sessions) {
      const owner = sessionOwner(this.#tag, session);
      if (owner === undefined) continue;
      listed.add(owner.permit);
      const known = this.#ledger.granted.get(owner.permit) ?? this.#ledger.quarantined.get(owner.permit);
      const identity = identityOf(session);
      if (known !== undefined) known.identity = identity;
      else if (this.#ledger.isUnknown(owner.permit, asked)) this.#adopt(owner, identity, now);
    }
    const lives = (identity: ServerIdentity): boolean => survey.alive.some((other) => sameSession(identity, other));
    for (const entry of [...this.#ledger.quarantined.values()]) {
      if (asked < entry.listedFrom || listed.has(entry.id)) continue;
      if (entry.identity === undefined || !lives(entry.identity)) this.#ledger.free(entry.id, now);
    }
    for (const { id, identity, client } of [...this.#ledger.granted.values()]) {
      if (identity === undefined || listed.has(id) || lives(identity) || !this.#wasChecked(client, asked)) continue;
      this.#ledger.free(id, now);
    }
  }

  /** A client that had been silent when the server was asked was asked about. */
  #wasChecked(id: number, asked: number): boolean {
    const client = this.#clients.get(id);
    return client !== undefined && asked - client.seen > this.#times.silence;
  }

  /** A session that no book knows: granted under a broker that is gone, to somebody who has not said so. */
  #adopt(owner: { readonly pid: number; readonly permit: string }, identity: ServerIdentity, now: number): void {
    const known = this.#roll.missing.some((member) => pidOf(member) === owner.pid) || this.#spared.has(owner.pid);
    const entry: QuarantinedPermit = {
      id: owner.permit,
      owner: owner.pid,
      since: now,
      listedFrom: now,
      identity,
      terminateAt: known ? undefined : now + this.#times.terminate,
    };
    this.#ledger.quarantine(entry);
  }

  #free(): number {
    const { size } = this.#size;
    return size === undefined ? 0 : size - 1 - this.#ledger.used;
  }

  #limit(): void {
    this.#size.limitTo(Array.from(this.#clients.values(), (client) => client.hello.limit));
  }

  /** Everything that follows from the state as it is now. */
  #serve(now: number): BrokerAction[] {
    this.#lastServe = now;
    for (const member of this.#roll.giveUp(now)) this.#spared.add(pidOf(member));
    for (const client of this.#clients.values()) {
      for (const want of [...client.wants.values()]) {
        if (want.deadline <= now) this.#refuse(client, { request: want.request }, now);
      }
    }
    this.#becomeReady();
    // Before the grants: who has a permit knows the budget it is under.
    this.#tellSize();
    if (this.#ready) {
      this.#weigh(now);
      this.#grant(now);
      this.#recall(now);
    }
    this.#terminate(now);
    this.#askServer(now);
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** All are heard, and a list is there that is young enough to show what the others left. */
  #becomeReady(): void {
    this.#ready ||= this.#roll.complete && this.#surveys.listedAt >= this.#roll.settledAt;
  }

  #weigh(now: number): void {
    const held = new Map<number, { all: number; mature: number }>();
    for (const permit of this.#ledger.granted.values()) {
      const count = held.get(permit.client) ?? { all: 0, mature: 0 };
      count.all += 1;
      if (permit.identity !== undefined && now - permit.since >= this.#times.keep) count.mature += 1;
      held.set(permit.client, count);
    }
    for (const client of this.#clients.values()) {
      const { all, mature } = held.get(client.id) ?? { all: 0, mature: 0 };
      client.weigh({ held: all, mature, eligible: now - client.seen <= this.#times.silence }, now);
    }
  }

  #grant(now: number): void {
    for (let free = this.#free(); free > 0; free -= 1) {
      const client = nextWaiter(this.#clients.values(), free);
      const request = client?.wants.keys().next().value;
      if (client === undefined || request === undefined) return;
      client.wants.delete(request);
      client.held += 1;
      this.#permits += 1;
      const id = `${this.epoch.toString(36)}-${this.#permits.toString(36)}`;
      this.#ledger.grant(id, client.id, now);
      this.#send(client.id, { type: 'grant', request, id, epoch: this.epoch });
    }
  }

  #recall(now: number): void {
    const clients = [...this.#clients.values()];
    // What has just come into quarantine is likely to come free by itself.
    let coming = 0;
    for (const { since } of this.#ledger.quarantined.values()) if (now - since < this.#times.keep) coming += 1;
    for (const client of clients) coming += client.coming(now);
    for (const [client, count] of recalls(clients, Math.max(0, -this.#free()), coming)) {
      client.askBack(count, now);
      this.#send(client.id, { type: 'recall', count });
    }
  }

  #terminate(now: number): void {
    for (const entry of this.#ledger.quarantined.values()) {
      if (entry.identity === undefined || entry.terminateAt === undefined || entry.terminateAt > now) continue;
      entry.terminateAt = now + this.#times.terminate;
      this.#out.push({ type: 'terminate', session: entry.identity });
    }
  }

  #tellSize(): void {
    const { size, text } = this.#size;
    if (size === undefined || size === this.#told) return;
    this.#told = size;
    for (const client of this.#clients.values()) this.#send(client.id, { type: 'budget', budget: size, text });
  }

  #surveyNeeded(): boolean {
    return (
      this.#clients.size > 0 || this.#ledger.quarantined.size > 0 || (!this.#ready && this.#surveys.failures === 0)
    );
  }

  #surveyDue(): number {
    const { next } = this.#surveys;
    return this.#ready || !this.#roll.complete ? next : Math.max(next, this.#roll.settledAt);
  }

  #askServer(now: number): void {
    if (this.#surveys.asking || !this.#surveyNeeded() || now < this.#surveyDue()) return;
    this.#surveys.ask(now);
    const check = [...this.#ledger.quarantined.values()].flatMap(({ identity }) => identity ?? []);
    for (const { client, identity } of this.#ledger.granted.values()) {
      if (identity !== undefined && this.#wasChecked(client, now)) check.push(identity);
    }
    this.#out.push({ type: 'survey', check, ours: this.#ledger.identities() });
  }

  #urgency(): Urgency {
    if (!this.#ready) return this.#roll.complete ? 'start' : 'quarantine';
    if (this.#ledger.quarantined.size > 0) return 'quarantine';
    if (this.#size.unconfirmed) return 'confirm';
    for (const client of this.#clients.values()) if (client.wants.size > 0) return 'waiting';
    return 'quiet';
  }

  #refuse(
    client: BrokerClient,
    { request, error }: { readonly request: number; readonly error?: SerializedError },
    now: number,
  ): void {
    const want = client.wants.get(request);
    if (want === undefined) return;
    const facts = this.#facts(client, now - want.since, now);
    client.wants.delete(request);
    this.#send(client.id, { type: 'refuse', request, facts, error: error ?? null });
  }

  #facts(client: BrokerClient, waited: number, now: number): RefusalFacts {
    const holders: HolderFact[] = [];
    let waiting = 0;
    for (const { id, hello, wants } of this.#clients.values()) {
      waiting += wants.size;
      const permits = this.#ledger.of(id);
      if (permits.length === 0) continue;
      const age = Math.round(now - Math.min(...permits.map(({ since }) => since)));
      const { pid, thread, application } = hello;
      holders.push({ pid, thread, application, permits: permits.length, age });
    }
    holders.sort((one, other) => other.age - one.age);
    return {
      waited: Math.round(waited),
      held: this.#ledger.of(client.id).length,
      // The broker's own connection counts.
      used: this.#ledger.used + 1,
      budget: this.#size.size ?? null,
      quarantined: this.#ledger.quarantined.size,
      waiting,
      holders: holders.slice(0, 5),
      reason: this.#obstacle(client),
    };
  }

  /** What else than busy holders keeps a permit from a client. */
  #obstacle(client: BrokerClient): string | null {
    const { failure } = this.#surveys;
    if (failure !== undefined) return `the server could not be asked: ${failure}`.slice(0, 300);
    if (this.#ready) {
      const kept = client.held > 0 && this.#free() === 1;
      return kept ? 'the last free one is kept for a process that has none' : null;
    }
    if (this.#roll.complete) return 'the server was not asked yet';
    return `a new broker waits to hear from pid ${this.#roll.missing.slice(0, 8).map(pidOf).join(', ')}`;
  }

  #send(client: number, message: BrokerMessage): void {
    this.#out.push({ type: 'send', client, message });
  }
}

function identityOf(record: { readonly pid: number; readonly start?: string | undefined }): ServerIdentity {
  return record.start === undefined ? { pid: record.pid } : { pid: record.pid, start: record.start };
}

function pidOf(member: string): number {
  return Number.parseInt(member, 10);
}
