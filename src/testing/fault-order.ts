// What a fault proxy can be told to do, as plain data: the same orders serve a proxy in this process and one in a
// process of its own.

/** From the client to the server, or back. */
export type Way = 'up' | 'down';

/** How connections are ended: by both ends, by reset, or only the server's end while the client's stays open. */
export type Cut = 'fin' | 'rst' | 'half';

/** Which message to stop at. */
export interface FrameMatch {
  readonly way: Way;
  /** The message's kind, one character. */
  readonly type: string;
  /** Text its body contains. Default: anything. */
  readonly text?: string | undefined;
}

/** One order to a fault proxy. All stay in force until `pass`. */
export type FaultOrder =
  /** Ends every fault; what was held back goes on, and a closed door opens again. */
  | { readonly fault: 'pass' }
  /** Nothing gets through any more, ends included, for now; without a way, in both. */
  | { readonly fault: 'silence'; readonly way?: Way | undefined }
  /** Ends the connections there are. */
  | { readonly fault: 'cut'; readonly how: Cut }
  /** Ends a connection when so many further bytes have gone this way. */
  | { readonly fault: 'cutAfter'; readonly way: Way; readonly bytes: number; readonly how: Cut }
  /** Pieces of so many bytes, one each `every` ms. */
  | { readonly fault: 'slow'; readonly way: Way; readonly bytes: number; readonly every: number }
  /** All bytes take `delay` ms longer each way, and up to `jitter` more; their order is kept. */
  | { readonly fault: 'delay'; readonly delay: number; readonly jitter?: number | undefined }
  /** Flips the bits of the byte that comes after `offset` further ones. */
  | { readonly fault: 'corrupt'; readonly way: Way; readonly offset: number }
  /** Keeps back the next such message, and all behind it on its connection. Plain streams only. */
  | ({ readonly fault: 'hold' } & FrameMatch)
  /** New connections are refused. */
  | { readonly fault: 'refuse' };
