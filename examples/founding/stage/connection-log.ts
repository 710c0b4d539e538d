// Replays every connection of one role from the server's log: when the server accepted it, when the server had ended
// it, and so how many there were at the very worst moment. Sampling can miss a moment; this cannot.
import type { LogEntry } from './server-log.ts';

export interface Replay {
  /** Connections of the role, from first to last. */
  readonly connections: number;
  /** The most of them that were open at one time. */
  readonly peak: number;
  /** Those the log shows no end of. */
  readonly open: number;
}

interface ServerSession {
  /** Places in the log, counted in entries: the log's order is the server's order, finer than its milliseconds. */
  readonly from: number;
  to: number;
}

/** Takes the log's entries in order and counts the connections of one role. */
export class ConnectionLog {
  readonly #role: string;
  #place = 0;
  /** Backends that were accepted and have not said yet whom they serve. */
  readonly #accepted = new Map<number, number>();
  readonly #living = new Map<number, ServerSession>();
  readonly #sessions: ServerSession[] = [];

  constructor(role: string) {
    this.#role = role;
  }

  read(entry: LogEntry): void {
    const place = this.#place++;
    const { pid, level, message } = entry;
    if (level === 'FATAL') {
      // The end of it, also where the server ends it too early to log a disconnection.
      this.#end(pid, place);
    } else if (level !== 'LOG') {
      return;
    } else if (message.startsWith('connection received:')) {
      this.#accepted.set(pid, place);
    } else if (message.startsWith('connection authorized:')) {
      if (/ user=(?<role>\S+)/u.exec(message)?.groups?.['role'] !== this.#role) return;
      // A connection takes its place on the server when it is accepted, before anyone knows whose it is.
      const session = { from: this.#accepted.get(pid) ?? place, to: Number.POSITIVE_INFINITY };
      this.#sessions.push(session);
      this.#living.set(pid, session);
    } else if (message.startsWith('disconnection:')) {
      this.#end(pid, place);
      this.#living.delete(pid);
    }
  }

  #end(pid: number, place: number): void {
    const session = this.#living.get(pid);
    if (session !== undefined) session.to = place;
  }

  replay(): Replay {
    const steps = this.#sessions.flatMap(({ from, to }) => [
      { at: from, change: 1 },
      { at: to, change: -1 },
    ]);
    steps.sort((a, b) => a.at - b.at);
    let now = 0;
    let peak = 0;
    for (const { change } of steps) {
      now += change;
      peak = Math.max(peak, now);
    }
    const open = this.#sessions.filter(({ to }) => to === Number.POSITIVE_INFINITY).length;
    return { connections: this.#sessions.length, peak, open };
  }
}
