// A driver that is loaded at the first connection: a program that names a database pays for no other's driver, and
// importing athanor works where a driver's own needs are not met.
import type { ConnectOptions, Driver } from './driver.ts';

/** A driver called `name` that `load` brings when it is first needed. A load that fails is tried again. */
export function lazyDriver(name: string, load: () => Promise<Driver>): Driver {
  let loading: Promise<Driver> | undefined;
  const loaded = (): Promise<Driver> => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  return Object.freeze({
    name,
    connect: async (options?: ConnectOptions) => (await loaded()).connect(options),
  });
}
