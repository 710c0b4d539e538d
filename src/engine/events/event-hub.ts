// Who listens to one connection, one engine or all of them. What is heard further out is heard first, and each hub asks
// the one around it, so that a listener on all engines needs no engine to be there yet.
import { UsageError } from '../../errors/index.ts';
import { type Listener, Listeners, type ListenOptions, type Unsubscribe } from '../../primitives/listeners.ts';
import type { EngineEvents } from './engine-events.ts';
import { type Logger, warn } from './logger.ts';

/** The names of all events. */
export type EngineEventName = keyof EngineEvents;
/** What a listener of the event is given. */
export type EngineEvent<Name extends EngineEventName> = Parameters<EngineEvents[Name]>[0];

const NAMES: Readonly<Record<EngineEventName, true>> = {
  beforeExecute: true,
  afterExecute: true,
  begin: true,
  commit: true,
  afterCommit: true,
  rollback: true,
  savepoint: true,
  rollbackSavepoint: true,
  releaseSavepoint: true,
  beginTwoPhase: true,
  prepareTwoPhase: true,
  commitTwoPhase: true,
  rollbackTwoPhase: true,
  doConnect: true,
  handleError: true,
  engineDisposed: true,
  beforeCreate: true,
  afterCreate: true,
  beforeDrop: true,
  afterDrop: true,
};

/** Who listens in one place. */
export interface EventSubscriptions {
  /** Throws `ATH_USAGE` for an event that there is not: it would never be heard. */
  on<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name], options?: ListenOptions): Unsubscribe;
  /** Ends every subscription of this function. Whether there was one. */
  off<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name]): boolean;
  /** Whether this function listens here; further out does not count. */
  has<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name]): boolean;
}

export class EventHub implements EventSubscriptions {
  readonly #around: EventHub | undefined;
  readonly #logger: Logger | undefined;
  readonly #listeners = new Listeners<EngineEvents>();

  /** `around` is heard first. `logger` gets what observers throw. */
  constructor(around?: EventHub, logger?: Logger) {
    this.#around = around;
    this.#logger = logger ?? (around === undefined ? undefined : around.#logger);
  }

  /** Nobody listens to anything. */
  get quiet(): boolean {
    return this.#listeners.count === 0 && (this.#around === undefined || this.#around.quiet);
  }

  /** Throws `ATH_USAGE` for an event that there is not: it would never be heard. */
  on<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name], options?: ListenOptions): Unsubscribe {
    if (!Object.hasOwn(NAMES, name)) {
      throw new UsageError(`There is no event named ${String(name)}.`, {
        hint: `There are ${Object.keys(NAMES).join(', ')}.`,
      });
    }
    return this.#listeners.on(name, listener, options);
  }

  off<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name]): boolean {
    return this.#listeners.off(name, listener);
  }

  /** Whether this function listens here; further out does not count. */
  has<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name]): boolean {
    return this.#listeners.has(name, listener);
  }

  /** Whether anybody would hear it, here or further out. */
  hears(name: EngineEventName): boolean {
    return this.#listeners.of(name) !== undefined || (this.#around?.hears(name) ?? false);
  }

  /** Those who listen, in the order to be called. */
  of<Name extends EngineEventName>(name: Name): readonly EngineEvents[Name][] {
    const own = this.#listeners.of(name) ?? [];
    return this.#around === undefined ? own : [...this.#around.of(name), ...own];
  }

  /** Tells observers. What they throw, also later, is reported. */
  tell<Name extends EngineEventName>(name: Name, event: EngineEvent<Name>): void {
    for (const listener of this.of(name)) {
      try {
        const answer = (listener as Listener)(event);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#report(name, error));
      } catch (error) {
        this.#report(name, error);
      }
    }
  }

  /** Calls interceptors one after the other. What one throws reaches the caller, and the rest is not called. */
  call<Name extends EngineEventName>(name: Name, event: EngineEvent<Name>): void {
    for (const listener of this.of(name)) atOnce(name, (listener as Listener)(event));
  }

  /** As `call`, waiting for each. */
  async wait<Name extends EngineEventName>(name: Name, event: EngineEvent<Name>): Promise<void> {
    for (const listener of this.of(name)) await (listener as Listener)(event);
  }

  #report(name: string, error: unknown): void {
    warn(
      this.#logger,
      'ATH_OBSERVER',
      `A listener of ${name} threw: ${error instanceof Error ? error.stack : String(error)}`,
    );
  }
}

/** A promise where the answer is needed now would be lost, and so would its error. */
export function atOnce<T>(name: string, answer: T): T {
  if (!(answer instanceof Promise)) return answer;
  answer.catch(() => {});
  throw new UsageError(`A listener of ${name} gave a promise, and cannot be waited for.`, {
    hint: 'Do there only what can be done at once.',
    outcome: 'not-sent',
  });
}

/** What is heard of every engine of this thread, those to come included. */
export const everyEngine: EventHub = new EventHub();

/**
 * Listens to all engines of this thread, those that are made later too. Gives the function that ends it.
 * Throws `ATH_USAGE` for an event that there is not.
 */
export function onEngine<Name extends EngineEventName>(
  name: Name,
  listener: EngineEvents[Name],
  options?: ListenOptions,
): Unsubscribe {
  return everyEngine.on(name, listener, options);
}
