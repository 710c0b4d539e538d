// Names nobody gave: columns after properties, constraints after what they constrain. The same schema always gets the
// same names, so that a migration can speak of them.

export type Naming = 'snake_case' | 'as-is';

/** `createdAt` as `created_at`, `URLPath` as `url_path`. */
export function databaseName(property: string, naming: Naming): string {
  if (naming === 'as-is') return property;
  return property
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

const PREFIX = { primaryKey: 'pk', foreignKey: 'fk', unique: 'uq', check: 'ck', index: 'ix' } as const;
/** The least that every supported database allows, in bytes. */
const LONGEST = 63;
const encoder = new TextEncoder();

/** `uq_users_tenant_id_email`. A name too long is cut and ends in a hash of the whole. */
export function constraintName(kind: keyof typeof PREFIX, parts: readonly string[]): string {
  const name = [PREFIX[kind], ...parts].join('_');
  if (encoder.encode(name).length <= LONGEST) return name;
  let start = name;
  while (encoder.encode(start).length > LONGEST - 9) start = start.slice(0, -1);
  return `${start.replace(/[\uD800-\uDBFF]$/, '')}_${hash(name)}`;
}

/** FNV-1a: short, stable, and nobody's enemy. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (const byte of encoder.encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value.toString(16).padStart(8, '0');
}
