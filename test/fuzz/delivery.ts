// The way from the server to the client: messages are struck by the plan's mutations, cut into pieces as it says, and
// brought to the driver one piece after the other.
import { Random } from '../random.ts';
import type { Conversation } from './conversation.ts';
import type { ServerFrame } from './frames.ts';
import type { MemoryTransport } from './link.ts';
import { mutate, type Mutation, strikes } from './mutations.ts';
import type { PlannedServer } from './server.ts';

/** Promises that wait on each other get this many turns to settle. */
const TURNS = 3;

const SETTLED = Promise.resolve();

/** Lets the client's promises go on, without the outside world. */
export async function turns(count: number = TURNS): Promise<void> {
  for (let left = count; left > 0; left -= 1) await SETTLED;
}

export class Delivery {
  /** The first message that was not as the server made it, or that the client may refuse. */
  struck: number = Number.POSITIVE_INFINITY;
  readonly #plan: Conversation;
  readonly #server: PlannedServer;
  readonly #transport: MemoryTransport;
  readonly #random: Random;
  readonly #brought: Buffer[] = [];
  readonly #mutations: ReadonlyMap<number, Mutation>;
  #sent = 0;

  constructor(plan: Conversation, server: PlannedServer, transport: MemoryTransport) {
    this.#plan = plan;
    this.#server = server;
    this.#transport = transport;
    this.#random = new Random(plan.seed ^ 0xbeef);
    this.#mutations = new Map(plan.mutations.map((mutation) => [mutation.at, mutation]));
  }

  /** Everything that was brought. */
  get stream(): Buffer {
    return Buffer.concat(this.#brought);
  }

  /** Brings what the server has to say now. False if that was nothing. */
  async bring(): Promise<boolean> {
    const frames = this.#server.take();
    if (frames.length === 0) {
      if (this.#server.ended) this.#transport.finish(undefined);
      return false;
    }
    const first = this.#sent;
    this.#sent += frames.length;
    this.#note(frames, first);
    const { pieces, cut } = mutate(frames, (index) => this.#mutations.get(first + index));
    if (frames[0]?.raw !== true) this.#brought.push(...pieces);
    for (const bytes of this.#pieces(pieces)) {
      this.#transport.feed(bytes);
      if (this.#plan.pieces.breathe) await turns();
    }
    if (cut) this.#transport.finish(undefined);
    return true;
  }

  #note(frames: readonly ServerFrame[], first: number): void {
    for (const [index, frame] of frames.entries()) {
      const mutation = this.#mutations.get(first + index);
      const hit = mutation !== undefined && strikes(mutation, frame);
      if (hit || frame.body.length + 4 > this.#plan.limit) this.struck = Math.min(this.struck, first + index);
    }
  }

  *#pieces(messages: readonly Buffer[]): Generator<Buffer> {
    const { size } = this.#plan.pieces;
    if (size === 'frame') yield* messages;
    else if (size === 'header') for (const one of messages) yield* halves(one, 1 + this.#random.int(5));
    else {
      const all = Buffer.concat(messages);
      // Every byte of a long answer on its own shows nothing that its beginning does not.
      const one = size === 'byte' && all.length < 3000;
      const most = size === 'whole' ? all.length : size === 'byte' && !one ? 400 : 60;
      for (let at = 0; at < all.length; ) {
        const end = one ? at + 1 : size === 'whole' ? all.length : at + 1 + this.#random.int(most);
        yield all.subarray(at, end);
        at = end;
      }
    }
  }
}

function* halves(bytes: Buffer, at: number): Generator<Buffer> {
  yield bytes.subarray(0, at);
  if (at < bytes.length) yield bytes.subarray(at);
}
