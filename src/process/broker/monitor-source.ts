// The broker serves in a thread of its own and must ask the server from there; a live monitor cannot be sent to it. So
// it is told how to make one: a module, and options that can be cloned.
import { UsageError } from '../../errors/index.ts';

/** How to make a ServerMonitor in another thread. */
export interface MonitorSource {
  /** URL of a module that exports `openMonitor(options): ServerMonitor`. */
  readonly module: string;
  /** Structured-cloneable, but for `password`, which may be a function: it is called before the options are sent. */
  readonly options: unknown;
}

/** The source with nothing in it that cannot be cloned. */
export async function resolveMonitor(source: MonitorSource): Promise<MonitorSource> {
  const { options } = source;
  if (typeof options !== 'object' || options === null || !('password' in options)) return source;
  const { password } = options;
  if (typeof password !== 'function') return source;
  const resolved: unknown = await (password as () => unknown)();
  if (typeof resolved !== 'string') throw new UsageError('The password function gave no string.');
  return { module: source.module, options: { ...options, password: resolved } };
}
