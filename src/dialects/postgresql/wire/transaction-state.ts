// Where the server says the transaction stands, and where it can stand: from the commands it said it ran we know
// which status may come next. Another one means that somebody else wrote on this connection.
import type { ConnectionStatus } from '../../../driver/driver.ts';
import { violation } from './protocol.ts';

const IDLE = 1;
const OPEN = 2;
const FAILED = 4;

const BY_BYTE: Readonly<Record<number, { readonly bit: number; readonly status: ConnectionStatus }>> = {
  0x49: { bit: IDLE, status: 'idle' },
  0x54: { bit: OPEN, status: 'transaction' },
  0x45: { bit: FAILED, status: 'failed' },
};

export class TransactionState {
  status: ConnectionStatus = 'idle';
  /** Counts the transactions, so that what belongs to one is not taken into the next. */
  epoch = 0;
  #possible = IDLE;

  /** A command the server says it completed. */
  completed(command: string): void {
    switch (command) {
      case 'BEGIN':
      case 'START TRANSACTION':
        if (this.#possible !== OPEN) this.epoch += 1;
        this.#possible = OPEN;
        break;
      case 'COMMIT':
      case 'ROLLBACK':
      case 'PREPARE TRANSACTION':
        // AND CHAIN and ROLLBACK TO leave a transaction open.
        this.#possible = IDLE | OPEN;
        break;
    }
  }

  /** An error; `ending` says that the failed statement was to end the transaction. */
  failed(ending: boolean): void {
    let possible = 0;
    if ((this.#possible & (OPEN | FAILED)) !== 0) possible |= FAILED;
    if ((this.#possible & IDLE) !== 0 || ending) possible |= IDLE;
    this.#possible = possible;
  }

  /** ReadyForQuery's byte. */
  ready(byte: number): void {
    const found = BY_BYTE[byte];
    if (found === undefined) return violation(`a transaction status 0x${byte.toString(16)}`);
    if ((found.bit & this.#possible) === 0)
      violation(
        `the transaction status '${found.status}' where '${this.status}' was held and nothing could have changed it`,
      );
    this.#possible = found.bit;
    if (found.bit === IDLE && this.status !== 'idle') this.epoch += 1;
    this.status = found.status;
  }

  close(): void {
    this.status = 'closed';
  }
}
