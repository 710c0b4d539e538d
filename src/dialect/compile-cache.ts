// What was compiled, by the shape of the statement: the second statement of a shape costs a look-up and a bind.
import { UnsupportedError } from '../errors/index.ts';
import type { CallSite } from '../primitives/call-site.ts';
import { Lru } from '../primitives/lru.ts';
import type { BulkNode } from '../sql/bulk.ts';
import type { StatementNode } from '../sql/node.ts';
import type { Compiled, CompiledBulk, SchemaOf, SqlCompiler } from './compiler.ts';

/** Sees each statement before it is looked up, and what was found; what it throws refuses the statement. */
export interface CompileGuard {
  before?(statement: StatementNode | BulkNode): void;
  after?(compiled: Compiled, statement: StatementNode): void;
}

/** Maps of schemas whose texts are kept at the same time. */
const MAPS = 100;

/** Told of each statement whose text was just made, and by whose call. */
export type CompileListener = (statement: StatementNode, site: CallSite | undefined) => void;

export class CompileCache {
  readonly #compiler: SqlCompiler;
  readonly #capacity: number;
  readonly #translated: Lru<string, CompileCache> = new Lru(MAPS);
  readonly #statements: Lru<string, Compiled>;
  readonly #bulks: Lru<string, CompiledBulk>;
  readonly #views = new WeakMap<CompileGuard, CompileCache>();
  /** A view has a guard, and everything else from the cache it is a view of. */
  #viewed: { readonly cache: CompileCache; readonly guard: CompileGuard } | undefined;
  readonly #made: CompileListener | undefined;
  #hits = 0;
  #misses = 0;

  /** `capacity` is a number of texts; statements and bulk writes each have as many. 0 keeps none. `made` is told of each new text. */
  constructor(compiler: SqlCompiler, capacity: number = 500, made?: CompileListener) {
    this.#compiler = compiler;
    this.#capacity = capacity;
    this.#made = made;
    this.#statements = new Lru(capacity);
    this.#bulks = new Lru(capacity);
  }

  /** How often a text was found, and how often it had to be made. */
  get counts(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** `site` says who asked, for whoever is told of a new text. */
  get(statement: StatementNode, site?: CallSite): Compiled {
    if (this.#viewed !== undefined) {
      const { cache, guard } = this.#viewed;
      guard.before?.(statement);
      const compiled = cache.get(statement, site);
      guard.after?.(compiled, statement);
      return compiled;
    }
    return this.#cached(this.#statements, statement.key, () => {
      const compiled = this.#compiler.compile(statement);
      this.#made?.(statement, site);
      return compiled;
    });
  }
  bulk(node: BulkNode): CompiledBulk {
    if (this.#viewed !== undefined) {
      this.#viewed.guard.before?.(node);
      return this.#viewed.cache.bulk(node);
    }
    return this.#cached(this.#bulks, node.key, () => this.#compiler.compileBulk(node));
  }

  /**
   * The cache of the same statements on other schemas; `''` stands for the tables that name none. The same map gives
   * the same cache, whoever made the object. Throws `ATH_UNSUPPORTED` where the database has no schemas.
   */
  translated(map: Readonly<Record<string, string>>): CompileCache {
    if (this.#viewed !== undefined) return this.#viewed.cache.translated(map).guarded(this.#viewed.guard);
    const names = Object.keys(map).sort();
    const key = JSON.stringify(names.map((name) => [name, map[name]]));
    let cache = this.#translated.get(key);
    if (cache !== undefined) return cache;
    const compiler = this.#compiler.withSchemas?.(schemasBy(map));
    if (compiler === undefined) throw new UnsupportedError('This database has no schemas to translate.');
    cache = new CompileCache(compiler, this.#capacity, this.#made);
    this.#translated.set(key, cache);
    return cache;
  }

  /** The same cache behind a guard that may refuse. The same guard gives the same view. */
  guarded(guard: CompileGuard): CompileCache {
    let view = this.#views.get(guard);
    if (view === undefined) {
      view = new CompileCache(this.#compiler, 1);
      view.#viewed = { cache: this, guard };
      this.#views.set(guard, view);
    }
    return view;
  }

  #cached<T>(cache: Lru<string, T>, key: string, compile: () => T): T {
    const known = cache.get(key);
    if (known !== undefined) {
      this.#hits += 1;
      return known;
    }
    this.#misses += 1;
    const made = compile();
    if (this.#capacity > 0) cache.set(key, made);
    return made;
  }
}

/** A map of schemas as a function. What it does not name stays as it is. */
export function schemasBy(map: Readonly<Record<string, string>>): SchemaOf {
  const known = new Map(Object.entries(map));
  return (schema) => {
    const other = known.get(schema ?? '');
    return other === undefined ? schema : other === '' ? undefined : other;
  };
}
