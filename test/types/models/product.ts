// Products, tags and categories: many-to-many and self references.
import { integer, text, double, fk, many, maybe, one } from '../../../src/index.ts';
import { Base } from './base.ts';
import { OrderItem } from './order.ts';
export class Category extends Base.table('categories', {
  id: integer().primaryKey(),
  title: text(),
  parentId: fk(() => Category.c.id).nullable(), // self reference
  parent: maybe(() => Category, { remote: () => Category.c.id }),
  children: many(() => Category, { by: () => Category.c.parentId }),
  products: many(() => Product),
}) {}
export class ProductTag extends Base.table('product_tags', {
  productId: fk(() => Product.c.id).primaryKey(),
  tagId: fk(() => Tag.c.id).primaryKey(),
}) {}
export class Tag extends Base.table('tags', {
  id: integer().primaryKey(),
  label: text().unique(),
  products: many(() => Product, { through: () => ProductTag, backref: 'tags' }),
}) {}
export class Product extends Base.table('products', {
  id: integer().primaryKey(),
  name: text(),
  price: double(),
  categoryId: fk(() => Category.c.id),
  category: one(() => Category),
  tags: many(() => Tag, { through: () => ProductTag }),
  items: many(() => OrderItem),
}) {}
