// The faults in force at one proxy, asked by every lane for every piece. Those that strike once strike the first that
// comes and then count as struck.
import type { Cut, FaultOrder, FrameMatch, Way } from './fault-order.ts';
import type { StreamFrame } from './frame-cutter.ts';

interface Pace {
  readonly bytes: number;
  readonly every: number;
}

interface Countdown {
  readonly way: Way;
  left: number;
}

export class FaultRules {
  readonly #silent = new Set<Way>();
  readonly #pace = new Map<Way, Pace>();
  #hold: FrameMatch | undefined;
  #holding = false;
  #corrupt: Countdown | undefined;
  #cutAfter: (Countdown & { readonly how: Cut; struck: boolean }) | undefined;
  #last: Way = 'down';
  readonly #random: () => number;
  readonly #struck: () => void;
  delay: { readonly delay: number; readonly jitter: number } | undefined;
  /** How often the client spoke after the server had: the trips it waited for. */
  roundTrips = 0;

  /** `struck` is called when a fault that strikes once has done so. */
  constructor(struck: () => void, random: () => number) {
    this.#struck = struck;
    this.#random = random;
  }

  /** Whether a message is being held back. */
  get holding(): boolean {
    return this.#holding;
  }

  get cut(): Cut {
    return this.#cutAfter?.how ?? 'rst';
  }

  take(order: FaultOrder): void {
    switch (order.fault) {
      case 'pass':
        return this.#clear();
      case 'silence':
        for (const way of order.way === undefined ? (['up', 'down'] as const) : [order.way]) this.#silent.add(way);
        return;
      case 'slow':
        this.#pace.set(order.way, order);
        return;
      case 'delay':
        this.delay = { delay: order.delay, jitter: order.jitter ?? 0 };
        return;
      case 'corrupt':
        this.#corrupt = { way: order.way, left: order.offset };
        return;
      case 'cutAfter':
        this.#cutAfter = { way: order.way, left: order.bytes, how: order.how, struck: false };
        return;
      case 'hold':
        this.#hold = order;
        return;
      default:
    }
  }

  moved(way: Way): void {
    if (way === 'up' && this.#last === 'down') this.roundTrips += 1;
    this.#last = way;
  }

  silent(way: Way): boolean {
    return this.#silent.has(way);
  }

  pace(way: Way): Pace | undefined {
    return this.#pace.get(way);
  }

  /** How much longer the next piece takes, in ms. */
  late(): number {
    return this.delay === undefined ? 0 : this.delay.delay + this.delay.jitter * this.#random();
  }

  holds(way: Way, { type, body }: StreamFrame): boolean {
    const match = this.#hold;
    if (match === undefined || match.way !== way || match.type !== type) return false;
    if (match.text !== undefined && !body.includes(match.text)) return false;
    this.#hold = undefined;
    this.#holding = true;
    this.#struck();
    return true;
  }

  /** The bytes, or a damaged copy of them. */
  damaged(way: Way, bytes: Buffer): Buffer {
    const corrupt = this.#corrupt;
    if (corrupt?.way !== way) return bytes;
    const at = corrupt.left;
    corrupt.left -= bytes.length;
    if (at >= bytes.length) return bytes;
    this.#corrupt = undefined;
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ 0xff;
    this.#struck();
    return copy;
  }

  /** How many of these bytes may still pass before a cut. */
  passing(way: Way, length: number): number {
    const cut = this.#cutAfter;
    if (cut?.way !== way || cut.struck) return length;
    const passing = Math.min(cut.left, length);
    cut.left -= passing;
    return passing;
  }

  /** Whether the connection is to be cut at this point; true once. */
  cutNow(way: Way): boolean {
    const cut = this.#cutAfter;
    if (cut?.way !== way || cut.struck || cut.left > 0) return false;
    cut.struck = true;
    this.#struck();
    return true;
  }

  #clear(): void {
    this.#silent.clear();
    this.#pace.clear();
    this.#hold = undefined;
    this.#holding = false;
    this.#corrupt = undefined;
    this.#cutAfter = undefined;
    this.delay = undefined;
  }
}
