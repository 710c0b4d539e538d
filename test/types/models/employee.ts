// A hierarchy: joined and single tables. Types only, for now.
import { integer, text, enumOf, fk, many, maybe } from '../../../src/index.ts';
import { Base } from './base.ts';
export class Employee extends Base.table(
  'employees',
  {
    id: integer().primaryKey(),
    kind: enumOf('employee_kind', ['employee', 'manager', 'engineer']).default('employee'),
    name: text(),
    managerId: fk(() => Manager.c.id).nullable(),
    manager: maybe(() => Manager),
  },
  { discriminator: 'kind', identity: 'employee', subclasses: () => [Manager, Engineer] },
) {
  badge() {
    return `#${this.id} ${this.name}`;
  }
}
export class Manager extends Employee.joined(
  'managers',
  {
    budget: integer(),
    reports: many(() => Employee, { by: () => Employee.c.managerId }),
  },
  { identity: 'manager' },
) {
  override badge() {
    return `M${super.badge()} ${this.budget}`;
  }
}
export class Engineer extends Employee.single('engineer', {
  language: text().nullable(),
}) {}
