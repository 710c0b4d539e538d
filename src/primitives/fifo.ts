// A queue whose members can leave from anywhere: waiters are cancelled as often as they are served, and an array pays
// for both with its length.

/** A member's place in a queue. */
export interface FifoNode<T> {
  readonly value: T;
  /** Takes the member out, wherever it stands. False if it had left already. */
  remove(): boolean;
}

class Link<T> implements FifoNode<T> {
  readonly value: T;
  queue: Fifo<T> | undefined;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  constructor(value: T, queue: Fifo<T>) {
    this.value = value;
    this.queue = queue;
  }
  remove(): boolean {
    const { queue } = this;
    if (queue === undefined) return false;
    queue[UNLINK](this);
    return true;
  }
}

const UNLINK: unique symbol = Symbol('unlink');

/** First in, first out; `push`, `shift` and removal of any member take constant time. */
export class Fifo<T> implements Iterable<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  peek(): T | undefined {
    return this.#first?.value;
  }

  push(value: T): FifoNode<T> {
    const link = new Link(value, this);
    link.previous = this.#last;
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#size += 1;
    return link;
  }

  shift(): T | undefined {
    const link = this.#first;
    if (link === undefined) return undefined;
    this[UNLINK](link);
    return link.value;
  }

  /** In order. A member that leaves while this runs is not met later. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let link = this.#first; link !== undefined; link = link.next) {
      if (link.queue !== undefined) yield link.value;
    }
  }

  /** @internal */
  [UNLINK](link: Link<T>): void {
    if (link.previous === undefined) this.#first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    // `next` stays, so that an iteration standing on this link finds its way on.
    link.queue = undefined;
    this.#size -= 1;
  }
}
