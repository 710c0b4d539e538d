// How a plan reads: a line a statement.
import type { TableColumn } from '../../sql/from.ts';
import type { FlushStep } from './flush-step.ts';
import { type Cell, KeyRef } from './row-change.ts';

export function printSteps(steps: readonly FlushStep[]): string {
  if (steps.length === 0) return 'flush plan: nothing to write';
  const rows = steps.reduce((sum, step) => sum + step.rows.length, 0);
  const head = `flush plan: ${count(steps.length, 'statement')}, ${count(rows, 'row')}`;
  return [head, ...steps.map(printStep)].join('\n');
}

function printStep(step: FlushStep): string {
  const after = step.needs.length === 0 ? '' : `, with keys from ${step.needs.map((index) => index + 1).join(', ')}`;
  return `  ${step.index + 1}. ${printStatement(step)}: ${count(step.rows.length, 'row')}${after}`;
}

function printStatement({ node, table, values, rows }: FlushStep): string {
  const first = values[0] ?? [];
  const expressions = [...(rows[0]?.expressions?.keys() ?? [])].map((column) => `${column.name} = expression`);
  if (node.kind === 'bulkInsert') {
    const columns = node.columns.map((column, at) => column.name + source(first[at]));
    return `INSERT ${table.name} (${[...columns, ...expressions].join(', ')})${returning(node.returning)}`;
  }
  const at = node.kind === 'bulkUpdate' ? node.set.length : 0;
  const where = [
    ...node.match.map((column, index) => column.name + source(first[at + index])),
    ...node.guard.map((column) => `${column.name} as read`),
  ].join(' and ');
  if (node.kind === 'bulkDelete') return `DELETE ${table.name} where ${where}`;
  const set = node.set.map((column, index) => column.name + source(first[index]));
  for (const { column } of node.constants ?? []) set.push(`${column.name} = expression`);
  return `UPDATE ${table.name} set ${[...set, ...expressions].join(', ')} where ${where}${returning(node.returning)}`;
}

function source(cell: Cell | undefined): string {
  return cell instanceof KeyRef ? ` <- ${cell.row.mapper.table.name}.${cell.column.name}` : '';
}

function returning(columns: readonly TableColumn[]): string {
  return columns.length === 0 ? '' : ` returning ${columns.map((column) => column.name).join(', ')}`;
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}
