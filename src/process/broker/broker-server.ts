// The broker with its hands and ears: a local socket for the processes, a monitor for the server, the folder for who
// is a member, and one timer. All that is decided is decided in broker.ts.
import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { ServerMonitor } from '../../driver/monitor.ts';
import { AthanorError, DatabaseError } from '../../errors/index.ts';
import { Broker, type BrokerAction, type BrokerTimes } from './broker.ts';
import { BrokerLine } from './broker-line.ts';
import { BudgetFolder } from '../meeting/budget-folder.ts';
import { type ClientMessage, errorForFrame, type Hello } from '../messages.ts';
import { sessionPrefix } from './permit-ledger.ts';
import { type ProcessMark, processState } from '../meeting/process-mark.ts';
import { newSocketAddress } from '../meeting/socket-address.ts';
import { Surveyor } from './surveyor.ts';

export interface BrokerServerOptions {
  readonly folder: string;
  readonly openMonitor: () => ServerMonitor;
  readonly times?: Partial<BrokerTimes>;
  /** Called once, when it serves no more: another has taken over, the folder is gone, or it was asked to retire. */
  readonly onStop?: (() => void) | undefined;
}

/** How often the folder and the members are looked at, in milliseconds. */
const SWEEP = 100;
const CHECK_FOLDER = 1000;
const TOUCH = 3_600_000;

export class BrokerServer {
  readonly #folder: BudgetFolder;
  readonly #surveyor: Surveyor;
  readonly #options: BrokerServerOptions;
  readonly #server: Server;
  readonly #lines = new Map<number, BrokerLine>();
  /** Members whose line ended, and that may be dead by now. */
  readonly #departed = new Map<string, { readonly mark: ProcessMark; readonly until: number }>();
  readonly #marks = new Map<number, { readonly member: string; readonly mark: ProcessMark }>();
  #broker: Broker | undefined;
  #lineCount = 0;
  #timer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #checkedFolder = 0;
  #touched = 0;
  #retiring = false;
  #stopping: Promise<void> | undefined;

  private constructor(options: BrokerServerOptions) {
    this.#options = options;
    this.#folder = new BudgetFolder(options.folder);
    this.#surveyor = new Surveyor(options.openMonitor, sessionPrefix(this.#folder.tag));
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** Listens and takes its place as the newest broker. `undefined` if another process was quicker. */
  static async start(options: BrokerServerOptions): Promise<BrokerServer | undefined> {
    const broker = new BrokerServer(options);
    if (await broker.#takePlace()) return broker;
    await broker.stop();
    return undefined;
  }

  get epoch(): number {
    return this.#broker?.epoch ?? 0;
  }
  /** Lines of processes and threads. */
  get lines(): number {
    return this.#lines.size;
  }

  /** Stops as soon as no process is served any more; `false` takes it back. */
  retire(on: boolean): void {
    this.#retiring = on;
    this.#retireIfUnused();
  }

  /** Ends all lines, and the monitor. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async #takePlace(): Promise<boolean> {
    const before = this.#folder.broker()?.epoch ?? 0;
    const address = newSocketAddress(this.#folder.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(address, 512, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const epoch = this.#folder.claim(address, before);
    if (epoch === undefined) return false;
    const members = this.#folder.members();
    const { times } = this.#options;
    this.#broker = new Broker(
      {
        tag: this.#folder.tag,
        epoch,
        pid: process.pid,
        members: members.map(({ name }) => name),
        ...(times === undefined ? {} : { times }),
      },
      performance.now(),
    );
    this.#folder.sweep(epoch);
    this.#sweep();
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP);
    this.#tick();
    return true;
  }

  #connected(socket: Socket): void {
    const broker = this.#broker;
    if (broker === undefined || this.#stopping !== undefined) {
      socket.destroy();
      return;
    }
    this.#lineCount += 1;
    const id = this.#lineCount;
    const line: BrokerLine = new BrokerLine(socket, {
      message: (message) => this.#heard(id, line, message),
      ended: () => this.#ended(id),
    });
    this.#lines.set(id, line);
  }

  #heard(id: number, line: BrokerLine, message: ClientMessage): void {
    const broker = this.#broker;
    if (broker === undefined) return;
    if (this.#marks.has(id)) {
      this.#do(broker.receive(id, message, performance.now()));
    } else if (message.type !== 'hello') {
      line.cut('no hello came first');
    } else {
      this.#greet(id, line, message);
    }
  }

  #greet(id: number, line: BrokerLine, hello: Hello): void {
    if (!sameSecret(hello.token, this.#folder.token)) {
      line.cut('the token is wrong');
      return;
    }
    const member = this.#folder.member(hello.member);
    if (member === undefined) {
      line.cut('the member is not in the folder');
      return;
    }
    line.greeted();
    this.#departed.delete(hello.member);
    this.#marks.set(id, { member: hello.member, mark: member.mark });
    if (this.#broker !== undefined) this.#do(this.#broker.join(id, hello, performance.now()));
  }

  #ended(id: number): void {
    this.#lines.delete(id);
    const left = this.#marks.get(id);
    this.#marks.delete(id);
    if (left === undefined || this.#broker === undefined || this.#stopping !== undefined) return;
    const now = performance.now();
    const dead = processState(left.mark) === 'dead';
    this.#do(this.#broker.leave(id, !dead, now));
    if (dead) this.#folder.forget(left.member);
    else this.#departed.set(left.member, { mark: left.mark, until: now + 30_000 });
    this.#retireIfUnused();
  }

  /** Looks who is dead, and whether this broker is still the newest. */
  #sweep(): void {
    const broker = this.#broker;
    if (broker === undefined || this.#stopping !== undefined) return;
    const now = performance.now();
    for (const name of broker.missing) {
      const member = this.#folder.member(name);
      if (member === undefined) this.#do(broker.resigned(name, now));
      else if (processState(member.mark) === 'dead') this.#bury(name, now);
    }
    for (const [name, { mark, until }] of this.#departed) {
      if (processState(mark) === 'dead') this.#bury(name, now);
      else if (now > until) this.#departed.delete(name);
    }
    this.#retireIfUnused();
    if (now - this.#checkedFolder < CHECK_FOLDER) return;
    this.#checkedFolder = now;
    if (this.#folder.broker()?.epoch !== broker.epoch) void this.stop();
    else if (now - this.#touched > TOUCH) {
      this.#touched = now;
      this.#folder.touch();
    }
  }

  #bury(member: string, now: number): void {
    this.#departed.delete(member);
    this.#folder.forget(member);
    if (this.#broker !== undefined) this.#do(this.#broker.died(member, now));
  }

  #tick(): void {
    if (this.#broker !== undefined && this.#stopping === undefined) this.#do(this.#broker.tick(performance.now()));
  }

  #do(actions: readonly BrokerAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'send':
          this.#lines.get(action.client)?.send(action.message);
          break;
        case 'cut':
          this.#lines.get(action.client)?.cut(action.reason);
          break;
        case 'survey':
          void this.#survey(action.check, action.ours);
          break;
        case 'terminate':
          // The session stays in quarantine until it is gone; if it could not be ended it is tried again.
          this.#surveyor.terminate(action.session).catch(() => {});
          break;
        default:
          action satisfies never;
      }
    }
    this.#setTimer();
  }

  async #survey(...question: Parameters<Surveyor['survey']>): Promise<void> {
    const broker = this.#broker;
    if (broker === undefined) return;
    try {
      const survey = await this.#surveyor.survey(...question);
      if (this.#stopping === undefined) this.#do(broker.surveyed(survey, performance.now()));
    } catch (error) {
      if (this.#stopping !== undefined) return;
      this.#do(broker.surveyFailed(errorForFrame(error), mayPass(error), performance.now()));
    }
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const at = this.#stopping === undefined ? this.#broker?.wakeAt : undefined;
    if (at === undefined) return;
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.ceil(at - performance.now())));
  }

  #retireIfUnused(): void {
    if (this.#retiring && this.#lines.size === 0 && (this.#broker?.counts.quarantined ?? 0) === 0) void this.stop();
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#sweeper);
    for (const line of this.#lines.values()) line.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
    await this.#surveyor.close();
    this.#options.onStop?.();
  }
}

function sameSecret(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether asking again may help without anybody doing anything: a full server, one that is starting, a lost connection. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof AthanorError)) return false;
  return error.retryable || (error instanceof DatabaseError && error.sqlState?.startsWith('57P0') === true);
}
