// The one cache of the project: bounded, forgetting what was used longest ago. Built on Map's insertion order.

/** A map of at most `capacity` entries. `get` counts as use. */
export class Lru<K, V> {
  readonly capacity: number;
  readonly #entries = new Map<K, V>();
  readonly #evicted: ((key: K, value: V) => void) | undefined;

  /** `evicted` is called for each entry that is forgotten for want of room. */
  constructor(capacity: number, evicted?: (key: K, value: V) => void) {
    this.capacity = Math.max(1, capacity);
    this.#evicted = evicted;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.capacity) return;
    for (const [oldest, forgotten] of this.#entries) {
      this.#entries.delete(oldest);
      this.#evicted?.(oldest, forgotten);
      return;
    }
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
