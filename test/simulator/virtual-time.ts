// Time that passes only when nothing else can happen. While it is installed, every timer, every look at the clock, every
// draw of chance and every garbage collection a program under test sees is this one's, so that a seed is all it takes
// to have the same run again.
import { Random } from '../random.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  unref(): Timer;
  ref(): Timer;
  hasRef(): boolean;
}

/** What a wall clock shows at the beginning. */
const EPOCH = Date.UTC(2026, 0, 1);
const realImmediate = setImmediate;

/** Lets everything happen that needs no time. */
export function settled(): Promise<void> {
  return new Promise((resolve) => void realImmediate(resolve));
}

/** Finalization that happens when told. */
class Registries {
  readonly #watched: {
    readonly target: WeakKey;
    readonly held: unknown;
    readonly token: WeakKey | undefined;
    readonly run: (held: never) => void;
  }[] = [];

  get constructorFor(): typeof FinalizationRegistry {
    const watched = this.#watched;
    class FakeRegistry {
      readonly #run: (held: never) => void;
      constructor(run: (held: never) => void) {
        this.#run = run;
      }
      register(target: WeakKey, held: unknown, token?: WeakKey): void {
        watched.push({ target, held, token, run: this.#run });
      }
      unregister(token: WeakKey): boolean {
        const before = watched.length;
        for (let i = watched.length - 1; i >= 0; i -= 1) if (watched[i]?.token === token) watched.splice(i, 1);
        return watched.length < before;
      }
    }
    return FakeRegistry as unknown as typeof FinalizationRegistry;
  }

  /** Collects what is held under a predicate. */
  collect(is: (held: unknown) => boolean): void {
    for (const one of this.#watched.filter(({ held }) => is(held))) {
      this.#watched.splice(this.#watched.indexOf(one), 1);
      (one.run as (held: unknown) => void)(one.held);
    }
  }
}

export class VirtualTime {
  now = 1_000;
  readonly registries = new Registries();
  readonly warnings: string[] = [];
  readonly #random: Random;
  #timers: Timer[] = [];
  #order = 0;
  #restore: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Timers that neither fired nor were stopped. */
  get timers(): number {
    return this.#timers.length;
  }

  timer(delay: number, run: () => void): Timer {
    const timer: Timer = {
      at: this.now + Math.max(0, delay),
      order: (this.#order += 1),
      run,
      unref: () => timer,
      ref: () => timer,
      hasRef: () => true,
    };
    // Sorted by insertion from the end: what is started last is mostly due last.
    let i = this.#timers.length;
    while (i > 0 && (this.#timers[i - 1] as Timer).at > timer.at) i -= 1;
    this.#timers.splice(i, 0, timer);
    return timer;
  }

  stop(timer: unknown): void {
    const i = this.#timers.indexOf(timer as Timer);
    if (i >= 0) this.#timers.splice(i, 1);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.timer(milliseconds, resolve));
  }

  /** Goes on to the next timer and runs it. False where there is none until then. */
  step(until: number = Number.POSITIVE_INFINITY): boolean {
    const [next] = this.#timers;
    if (next === undefined || next.at > until) return false;
    this.#timers.shift();
    this.now = Math.max(this.now, next.at);
    next.run();
    return true;
  }

  install(): void {
    const replace = (target: object, name: string, value: unknown): void => {
      const own = Object.getOwnPropertyDescriptor(target, name);
      Object.defineProperty(target, name, { value, configurable: true, writable: true });
      this.#restore.push(() => {
        if (own === undefined) Reflect.deleteProperty(target, name);
        else Object.defineProperty(target, name, own);
      });
    };
    replace(globalThis, 'setTimeout', (run: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) =>
      this.timer(delay, () => run(...args)),
    );
    replace(globalThis, 'clearTimeout', (timer: unknown) => this.stop(timer));
    replace(globalThis, 'FinalizationRegistry', this.registries.constructorFor);
    replace(performance, 'now', () => this.now);
    replace(Date, 'now', () => EPOCH + this.now);
    replace(Math, 'random', () => this.#random.next());
    replace(process, 'emitWarning', (warning: unknown) => void this.warnings.push(String(warning)));
  }

  uninstall(): void {
    for (const restore of this.#restore.splice(0).reverse()) restore();
  }
}
