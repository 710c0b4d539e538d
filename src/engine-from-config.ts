// An engine from flat text: a configuration file's section, or the environment. Names are matched whatever their case and
// punctuation, values are read as the option wants them, and a name nobody knows is refused.
import { createEngine, type CreateEngineOptions } from './create-engine.ts';
import type { Engine } from './engine/engine.ts';
import { UsageError } from './errors/index.ts';

/** Names and values; other than text where a file has other types. */
export type EngineConfig = Readonly<Record<string, string | number | boolean | undefined>>;

type Read = (value: string | number | boolean, name: string) => unknown;

interface Setting {
  readonly path: readonly string[];
  readonly read: Read;
}

const text: Read = String;
const number: Read = (value, name) => {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof read === 'number' && Number.isFinite(read)) return read;
  throw new UsageError(`${name} must be a number.`);
};
const boolean: Read = (value, name) => {
  const word = String(value).toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw new UsageError(`${name} must be true or false.`);
};
const either =
  (...reads: readonly Read[]): Read =>
  (value, name) => {
    for (const read of reads.slice(0, -1)) {
      try {
        return read(value, name);
      } catch {
        // The next way of reading it.
      }
    }
    return (reads.at(-1) as Read)(value, name);
  };

const SETTINGS: readonly Setting[] = [
  { path: ['url'], read: text },
  { path: ['echo'], read: either(boolean, text) },
  { path: ['cacheSize'], read: number },
  { path: ['application'], read: text },
  { path: ['pooler'], read: text },
  { path: ['isolation'], read: text },
  { path: ['readOnly'], read: boolean },
  { path: ['deferrable'], read: boolean },
  { path: ['trackOutcome'], read: boolean },
  { path: ['yieldPer'], read: number },
  { path: ['maxRowBuffer'], read: number },
  { path: ['budget'], read: either(number, text) },
  { path: ['budget', 'size'], read: either(number, text) },
  { path: ['budget', 'name'], read: text },
  { path: ['budget', 'scope'], read: text },
  ...[
    'max',
    'min',
    'acquireTimeout',
    'connectTimeout',
    'maxLifetime',
    'idleTimeout',
    'pingAfter',
    'stallAfter',
    'maxWaiting',
  ].map((name) => ({ path: ['pool', name], read: number })),
  { path: ['pool', 'resetOnReturn'], read: text },
  { path: ['pool', 'order'], read: text },
  { path: ['pool', 'callSites'], read: either(boolean, text) },
];

const bySetting = new Map(SETTINGS.map((setting) => [plain(setting.path.join('')), setting]));

/**
 * Makes an engine of configuration: `engineFromConfig(process.env, { prefix: 'DATABASE_' })` reads `DATABASE_URL`,
 * `DATABASE_POOL_MAX`, `DATABASE_READ_ONLY`... Names without the prefix are not looked at. `options` are for what text cannot
 * say, and win. Throws `ATH_USAGE` for a name or value that is not understood, and where there is no URL.
 */
export function engineFromConfig(
  config: EngineConfig,
  { prefix = 'athanor.', ...options }: CreateEngineOptions & { readonly prefix?: string } = {},
): Engine {
  let url: string | undefined;
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(config)) {
    if (!name.startsWith(prefix) || value === undefined || value === '') continue;
    const setting = bySetting.get(plain(name.slice(prefix.length)));
    if (setting === undefined) {
      throw new UsageError(`${name} is no setting of an engine.`, {
        hint: `Settings are ${SETTINGS.map(({ path }) => path.join('.')).join(', ')}.`,
      });
    }
    const given = setting.read(value, name);
    if (setting.path[0] === 'url') url = given as string;
    else put(read, setting.path, given);
  }
  if (url === undefined) throw new UsageError(`There is no ${prefix}url in the configuration.`);
  return createEngine(url, { ...(read as CreateEngineOptions), ...options });
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[._-]/g, '');
}

function put(into: Record<string, unknown>, [name = '', inner]: readonly string[], value: unknown): void {
  if (inner === undefined) {
    into[name] = value;
    return;
  }
  const { [name]: held } = into;
  into[name] = { ...(typeof held === 'object' ? held : {}), [inner]: value };
}
