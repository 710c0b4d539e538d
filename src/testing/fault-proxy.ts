// A TCP proxy between a client and its database that does on order what networks do by accident. A test puts it into
// the URL in place of the server.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FaultLane } from './fault-lane.ts';
import type { Cut, FaultOrder } from './fault-order.ts';
import { FaultRules } from './fault-rules.ts';

/** Where a fault proxy leads. */
export interface FaultProxyTarget {
  readonly host: string;
  readonly port: number;
  /** The stream is plain and made of the database's messages, so that `hold` can find one. Default true; false for TLS. */
  readonly framed?: boolean | undefined;
  /** Between 0 and 1, for jitter. */
  readonly random?: (() => number) | undefined;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly lanes: readonly [FaultLane, FaultLane];
}

/** A running fault proxy on loopback. */
export class FaultProxy implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #target: FaultProxyTarget;
  readonly #rules: FaultRules;
  readonly #pairs = new Set<Pair>();
  #listener: Server | undefined;
  #strikes = 0;
  #awaiting: (() => void)[] = [];

  private constructor(target: FaultProxyTarget, listener: Server) {
    this.#target = target;
    this.#rules = new FaultRules(() => this.#strike(), target.random ?? Math.random);
    this.#listener = listener;
    this.port = (listener.address() as AddressInfo).port;
    listener.on('connection', (client) => this.#welcome(client));
  }

  /** Starts one. */
  static async start(target: FaultProxyTarget): Promise<FaultProxy> {
    return new FaultProxy(target, await listen(0));
  }

  /** Connections that are open on the client's side. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** How often a client spoke after its server had: the trips it waited for, of all connections together. */
  get roundTrips(): number {
    return this.#rules.roundTrips;
  }

  /** Does what it is told; settles when it is in force. */
  async order(order: FaultOrder): Promise<void> {
    if (order.fault === 'refuse') return this.#shut();
    this.#rules.take(order);
    if (order.fault === 'cut') for (const pair of this.#pairs) this.#cut(pair, order.how);
    if (order.fault !== 'pass') return;
    for (const { lanes } of this.#pairs) for (const lane of lanes) lane.resume();
    if (this.#listener !== undefined) return;
    this.#listener = await listen(this.port);
    this.#listener.on('connection', (client) => this.#welcome(client));
  }

  /** Settles when a `hold`, `corrupt` or `cutAfter` has struck. Each strike is told once. */
  async struck(): Promise<void> {
    if (this.#strikes === 0) await new Promise<void>((resolve) => this.#awaiting.push(resolve));
    this.#strikes -= 1;
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) this.#drop(pair);
    await this.#shut();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shut(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener === undefined) return;
    // Those that are open go on; the listener's own end would wait for them.
    listener.close();
    listener.unref();
  }

  #strike(): void {
    this.#strikes += 1;
    this.#awaiting.shift()?.();
  }

  #welcome(client: Socket): void {
    const { host, port, framed = true } = this.#target;
    const server = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const rules = this.#rules;
    const cut = (): void => this.#cut(pair, rules.cut);
    const up = new FaultLane({ way: 'up', rules, to: server, framed, cut });
    const down = new FaultLane({ way: 'down', rules, to: client, framed, cut });
    const pair: Pair = { client, server, lanes: [up, down] };
    this.#pairs.add(pair);
    join(client, up);
    join(server, down);
    // An end that is silenced is not told either; it is told when the silence ends.
    client.on('close', () => {
      if (rules.silent('up')) up.end();
      else this.#drop(pair);
    });
    server.on('close', (failed) => {
      if (client.destroyed) this.#drop(pair);
      else if (failed && !rules.silent('down')) this.#cut(pair, 'rst');
      else down.end();
    });
  }

  #cut(pair: Pair, how: Cut): void {
    for (const lane of pair.lanes) lane.stop();
    if (how === 'rst') {
      pair.client.resetAndDestroy();
      pair.server.resetAndDestroy();
    } else {
      if (how === 'fin') pair.client.end();
      pair.server.destroy();
    }
  }

  #drop(pair: Pair): void {
    this.#pairs.delete(pair);
    for (const lane of pair.lanes) lane.stop();
    pair.client.destroy();
    pair.server.destroy();
  }
}

async function listen(port: number): Promise<Server> {
  const listener = createServer({ noDelay: true, allowHalfOpen: true });
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return listener;
}

/** What a socket says goes into its lane. */
function join(from: Socket, lane: FaultLane): void {
  // Errors are followed by close, which is what counts.
  from.on('error', () => {});
  from.on('data', (bytes) => lane.receive(bytes));
  from.on('end', () => lane.end());
}
