// A connection that has nothing to do with the one that is tampered with: half of its answer comes before, half after,
// and it must be right.
import type { DriverConnection, Scalar } from '../../src/driver/driver.ts';
import { started } from './client.ts';
import { columnsBody, frame, framed, int16, int32, rowBody, text } from './frames.ts';
import { MemoryTransport } from './link.ts';

const HEAD = Buffer.concat(
  [
    frame('1', Buffer.alloc(0)),
    frame('t', int16(1), int32(25)),
    frame(
      'T',
      columnsBody([
        { name: 'a', oid: 23 },
        { name: 'b', oid: 25 },
      ]),
    ),
    frame('2', Buffer.alloc(0)),
    frame('D', rowBody([Buffer.from('1'), Buffer.from('first')])),
  ].map((one) => framed(one)),
);
const TAIL = Buffer.concat(
  [
    frame('D', rowBody([Buffer.from('2'), Buffer.from('sécond')])),
    frame('C', text('SELECT 2')),
    frame('Z', Buffer.from('I')),
  ].map((one) => framed(one)),
);
const SPLIT = 7;
const RIGHT = JSON.stringify([
  [1, 'first'],
  [2, 'sécond'],
]);

export class Innocent {
  #transport = new MemoryTransport(() => {});
  #connection: DriverConnection | undefined;
  #rows: Scalar[][] = [];
  #answer: Promise<void> = Promise.resolve();

  /** Asks, and hears the beginning of the answer. */
  begin(): void {
    this.#rows = [];
    if (this.#connection?.status !== 'idle') this.#connect();
    const textOf = { sql: 'select innocent', params: ['text'] as const, results: undefined, prepare: false };
    this.#answer = (this.#connection as DriverConnection).submit([{ text: textOf, params: ['x'] }], {
      row: (_, row) => void this.#rows.push(row),
    });
    this.#answer.catch(() => {});
    this.#transport.feed(HEAD);
    this.#transport.feed(TAIL.subarray(0, SPLIT));
  }

  #connect(): void {
    this.#transport = new MemoryTransport(() => {});
    const cancel = (): Promise<void> => Promise.resolve();
    this.#connection = started({ transport: this.#transport, limit: 1 << 20, cacheSize: 16, cancel });
  }

  /** Hears the rest. What is wrong with it, if anything is. */
  async end(): Promise<string | undefined> {
    this.#transport.feed(TAIL.subarray(SPLIT));
    try {
      await this.#answer;
    } catch (error) {
      return `another connection's statement failed: ${String(error)}`;
    }
    const rows = JSON.stringify(this.#rows);
    return rows === RIGHT ? undefined : `another connection's rows are ${rows}`;
  }
}
