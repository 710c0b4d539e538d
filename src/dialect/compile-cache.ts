// What was compiled, by the shape of the statement: the second statement of a shape costs a look-up and a bind.
import { Lru } from '../primitives/lru.ts';
import type { BulkNode } from '../sql/bulk.ts';
import type { StatementNode } from '../sql/node.ts';
import type { Compiled, CompiledBulk, SqlCompiler } from './compiler.ts';

export class CompileCache {
  readonly #compiler: SqlCompiler;
  readonly #statements: Lru<string, Compiled>;
  readonly #bulks: Lru<string, CompiledBulk>;
  #hits = 0;
  #misses = 0;

  /** `capacity` is a number of texts; statements and bulk writes each have as many. */
  constructor(compiler: SqlCompiler, capacity: number = 500) {
    this.#compiler = compiler;
    this.#statements = new Lru(capacity);
    this.#bulks = new Lru(capacity);
  }

  /** How often a text was found, and how often it had to be made. */
  get counts(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  get(statement: StatementNode): Compiled {
    return this.#cached(this.#statements, statement.key, () => this.#compiler.compile(statement));
  }
  bulk(node: BulkNode): CompiledBulk {
    return this.#cached(this.#bulks, node.key, () => this.#compiler.compileBulk(node));
  }

  #cached<T>(cache: Lru<string, T>, key: string, compile: () => T): T {
    const known = cache.get(key);
    if (known !== undefined) {
      this.#hits += 1;
      return known;
    }
    this.#misses += 1;
    const made = compile();
    cache.set(key, made);
    return made;
  }
}
