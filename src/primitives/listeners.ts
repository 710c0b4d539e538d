// Who wants to hear of what happens, by name. Most programs never ask, so an event nobody listens to costs one look
// at a field; and whoever is being called may come and go meanwhile without disturbing the round.

/** What one event hands over: the type of its listeners. */
// oxlint-disable-next-line typescript/no-explicit-any -- any function fits; each event's own type is kept by its name
export type Listener = (...args: any[]) => unknown;

/** How long a listener listens. */
export interface ListenOptions {
  /** Leave when called for the first time. */
  readonly once?: boolean | undefined;
  /** Leave when this aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Be called before those who listen already. */
  readonly prepend?: boolean | undefined;
}

/** Ends one subscription. Does nothing the second time. */
export type Unsubscribe = () => void;

/** `Events` maps the name of each event to the type of its listeners. */
export class Listeners<Events extends { readonly [Name in keyof Events]: Listener }> {
  /** Replaced and never changed, so that a round goes on as it began. An event nobody hears has no entry. */
  readonly #heard = new Map<keyof Events, readonly Listener[]>();
  /** What each member was made of, and how it leaves. */
  readonly #given = new WeakMap<Listener, { readonly listener: Listener; readonly leave: Unsubscribe }>();
  #count = 0;

  /** How many subscriptions there are, of all events. */
  get count(): number {
    return this.#count;
  }

  /** Subscribes; each call is a subscription of its own. Listeners are called in the order they came, unless prepended. */
  on<Name extends keyof Events>(name: Name, listener: Events[Name], options?: ListenOptions): Unsubscribe {
    const signal = options?.signal;
    if (signal?.aborted === true) return () => {};
    let open = true;
    const leave = (): void => {
      if (!open) return;
      open = false;
      signal?.removeEventListener('abort', leave);
      this.#remove(name, member);
    };
    const member: Listener =
      options?.once === true
        ? (...args) => {
            if (!open) return undefined;
            leave();
            return listener(...args);
          }
        : (...args) => listener(...args);
    const heard = this.#heard.get(name) ?? [];
    this.#heard.set(name, options?.prepend === true ? [member, ...heard] : [...heard, member]);
    this.#given.set(member, { listener, leave });
    this.#count += 1;
    signal?.addEventListener('abort', leave);
    return leave;
  }

  /** Whether this function listens. */
  has<Name extends keyof Events>(name: Name, listener: Events[Name]): boolean {
    return this.#members(name, listener).length > 0;
  }

  /** Ends every subscription of this function. Whether there was one. */
  off<Name extends keyof Events>(name: Name, listener: Events[Name]): boolean {
    const members = this.#members(name, listener);
    for (const member of members) this.#given.get(member)?.leave();
    return members.length > 0;
  }

  /** Those who listen now, in order, for callers who want the answers or make the arguments only when asked. */
  of<Name extends keyof Events>(name: Name): readonly Events[Name][] | undefined {
    if (this.#count === 0) return undefined;
    return this.#heard.get(name) as readonly Events[Name][] | undefined;
  }

  /** Calls all in order. What one throws reaches the caller, and the rest is not called. */
  emit<Name extends keyof Events>(name: Name, ...args: Parameters<Events[Name]>): void {
    const heard = this.of(name);
    if (heard === undefined) return;
    for (const listener of heard) listener(...args);
  }

  #members(name: keyof Events, listener: Listener): readonly Listener[] {
    return this.#heard.get(name)?.filter((member) => this.#given.get(member)?.listener === listener) ?? [];
  }

  #remove(name: keyof Events, member: Listener): void {
    const rest = this.#heard.get(name)?.filter((one) => one !== member) ?? [];
    if (rest.length === 0) this.#heard.delete(name);
    else this.#heard.set(name, rest);
    this.#count -= 1;
  }
}
