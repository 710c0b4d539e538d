// `layers.json`: which folder may import which, and every exception with its reason.

/** Read from `layers.json` at the root of the repository. */
export interface Layers {
  /** Folder below `src` to the folders it may import from. `dialects/*` stands for each dialect by itself. */
  readonly layers: Readonly<Record<string, readonly string[]>>;
  /** Packages that `src` may name beside Node's own modules. */
  readonly packages: readonly string[];
  readonly exceptions: readonly Exception[];
}

/** One violation that is accepted: one rule, one file, and why. */
export interface Exception {
  readonly rule: string;
  readonly path: string;
  readonly reason: string;
}

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly line?: number | undefined;
  readonly message: string;
}

const MIN_REASON = 15;

/** Checks the file's form: a wrong key would silently switch a rule off. */
export function readLayers(text: string): Layers {
  const data: unknown = JSON.parse(text);
  if (
    !isRecord(data) ||
    !isRecord(data['layers']) ||
    !isStrings(data['packages']) ||
    !Array.isArray(data['exceptions'])
  ) {
    throw new TypeError('layers.json needs "layers", "packages" and "exceptions".');
  }
  for (const [layer, allowed] of Object.entries(data['layers'])) {
    const unknown = isStrings(allowed) ? allowed.filter((name) => !(name in (data['layers'] as object))) : ['no list'];
    if (unknown.length > 0) throw new TypeError(`layers.json: "${layer}" names ${unknown.join(', ')}.`);
  }
  for (const exception of data['exceptions']) checkException(exception);
  return data as unknown as Layers;
}

function checkException(exception: unknown): void {
  const keys = isRecord(exception) ? Object.keys(exception).sort().join() : '';
  const reason = isRecord(exception) ? exception['reason'] : undefined;
  if (keys !== 'path,reason,rule' || typeof reason !== 'string' || reason.length < MIN_REASON) {
    throw new TypeError(`layers.json: an exception needs rule, path and a reason: ${JSON.stringify(exception)}`);
  }
}

/** The violations that no exception accepts, and the exceptions that nothing needs. */
export function applyExceptions(violations: readonly Violation[], exceptions: readonly Exception[]): Violation[] {
  const accepts = (exception: Exception, violation: Violation): boolean =>
    exception.rule === violation.rule && exception.path === violation.path;
  const left = violations.filter((violation) => !exceptions.some((exception) => accepts(exception, violation)));
  const unused = exceptions.filter((exception) => !violations.some((violation) => accepts(exception, violation)));
  return [
    ...left,
    ...unused.map(({ rule, path }) => ({
      rule: 'exceptions',
      path,
      message: `nothing violates "${rule}" here any more`,
    })),
  ];
}

/** The layer of a file below `src`, `undefined` for a root entry file. */
export function layerOf(path: string): string | undefined {
  const [, first, second, third] = path.split('/');
  if (second === undefined) return undefined;
  return first === 'dialects' && third !== undefined ? `dialects/${second}` : first;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
