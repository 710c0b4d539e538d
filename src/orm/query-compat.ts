// The few calls of SQLAlchemy 1.x that old programs are full of: `session.query(X).get(id)` and its neighbours. New
// code says `session.get(X, id)` and `session.scalars(select(X))`; nothing else in athanor uses this file.
import { UsageError } from '../errors/index.ts';
import type { AnyEntity, Inst, SpecOf } from '../sql/entity.ts';
import type { AnyExpr, Expr, OrderBy } from '../sql/expr.ts';
import { expressionNode } from '../sql/operand.ts';
import type { FIELD, FLAGS } from '../sql/phantom.ts';
import { select, type Select } from '../sql/statements/select.ts';
import type { PrimaryKey } from './mapping/init-types.ts';

/** What a query runs on. */
export interface QuerySource {
  get<E extends AnyEntity>(entity: E, key: PrimaryKey<E>): Promise<Inst<E> | null>;
  scalars<E extends AnyEntity>(statement: Select<[E]>): PromiseLike<unknown[]>;
}

/** Equality with columns, by name. */
export type FilterBy<E extends AnyEntity> = {
  // oxlint-disable-next-line typescript/no-explicit-any -- any flags make a column
  readonly [K in keyof SpecOf<E> as SpecOf<E>[K] extends { readonly [FLAGS]: any } ? K : never]?: SpecOf<E>[K] extends {
    readonly [FIELD]: infer T;
  }
    ? NonNullable<T>
    : never;
};

/** An immutable query over one class, in the words of SQLAlchemy 1.x. */
export class Query<E extends AnyEntity> {
  readonly #source: QuerySource;
  readonly #entity: E;
  readonly #select: Select<[E]>;

  constructor(source: QuerySource, entity: E, statement: Select<[E]> = select(entity)) {
    this.#source = source;
    this.#entity = entity;
    this.#select = statement;
  }

  /** `session.get(X, key)`. */
  get(key: PrimaryKey<E>): Promise<Inst<E> | null> {
    return this.#source.get(this.#entity, key);
  }
  filter(...conditions: Expr<boolean | null>[]): Query<E> {
    return this.#with(this.#select.where(...conditions));
  }
  filterBy(values: FilterBy<E>): Query<E> {
    const columns = (this.#entity as unknown as { readonly c: Readonly<Record<string, AnyExpr>> }).c;
    const conditions = Object.entries(values).map(([key, value]) => {
      const column = Object.hasOwn(columns, key) ? columns[key] : undefined;
      if (column === undefined || expressionNode(column).kind !== 'column') {
        throw new UsageError(`filterBy(): there is no column ${JSON.stringify(key)}.`);
      }
      return column.eq(value);
    });
    return this.#with(this.#select.where(...conditions));
  }
  orderBy(...order: (OrderBy | AnyExpr)[]): Query<E> {
    return this.#with(this.#select.orderBy(...order));
  }
  limit(count: number): Query<E> {
    return this.#with(this.#select.limit(count));
  }
  async all(): Promise<Inst<E>[]> {
    return (await this.#source.scalars(this.#select)) as Inst<E>[];
  }
  async first(): Promise<Inst<E> | null> {
    const [entity = null] = await this.limit(1).all();
    return entity;
  }

  #with(statement: Select<[E]>): Query<E> {
    return new Query(this.#source, this.#entity, statement);
  }
}
