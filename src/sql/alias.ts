// The same table a second time in a statement, under another name.
import { UsageError } from '../errors/index.ts';
import { attributes } from './attribute.ts';
import type { Alias, AnyEntity } from './entity.ts';
import { keyed } from './expression-factory.ts';
import { FROM, type FromElement } from './from.ts';
import { fromOf } from './operand.ts';
import { ATTRIBUTES } from './phantom.ts';

/** Another element over the table of `from`. Two with the same name are interchangeable. */
export function aliasElement(from: FromElement, name: string): FromElement {
  const { table } = from;
  if (table === undefined) throw new UsageError('Only a table or a mapped class has an alias().');
  const { columns, entity } = from;
  return Object.freeze({ kind: 'alias', name, key: `A${keyed(name)}${table.key}`, columns, table, entity });
}

/** A mapped class or table under another name: `const parent = alias(Category, 'parent')`. */
export function alias<E extends AnyEntity, const N extends string>(entity: E, name: N): Alias<E, N> {
  const element = aliasElement(fromOf(entity), name);
  const own = (entity as { readonly [ATTRIBUTES]?: (from: FromElement) => object })[ATTRIBUTES];
  const c = own === undefined ? attributes(element) : own.call(entity, element);
  return Object.freeze({ [FROM]: element, c }) as unknown as Alias<E, N>;
}
