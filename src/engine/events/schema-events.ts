// What is told of a change of the schema: before and after all of it, and for each table, inside its transaction.
import type { SchemaChange } from '../../schema/metadata.ts';
import type { SchemaConnection, SchemaEvent } from './engine-events.ts';
import type { EngineFacts } from './engine-facts.ts';
import type { EventHub } from './event-hub.ts';

export interface SchemaHome {
  readonly hub: EventHub;
  readonly facts: EngineFacts;
}

/**
 * Carries out a change before those who listen: first for the whole, then for each table in the order of work; after it
 * the other way round. What a listener throws fails the change.
 */
export async function toldChange(
  { hub, facts }: SchemaHome,
  change: SchemaChange,
  { connection, work }: { readonly connection: SchemaConnection; readonly work: () => Promise<void> },
): Promise<void> {
  const { action, metadata, tables } = change;
  const [before, after] = action === 'create' ? BEFORE_AFTER.create : BEFORE_AFTER.drop;
  const event: SchemaEvent = { engine: facts, metadata, table: undefined, tables, connection };
  if (hub.hears(before)) {
    await hub.wait(before, event);
    for (const table of tables) await hub.wait(before, { ...event, table });
  }
  await work();
  if (!hub.hears(after)) return;
  for (const table of tables) await hub.wait(after, { ...event, table });
  await hub.wait(after, event);
}

const BEFORE_AFTER = {
  create: ['beforeCreate', 'afterCreate'],
  drop: ['beforeDrop', 'afterDrop'],
} as const;
