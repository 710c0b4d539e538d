// Which binary package fits this machine. The binaries are built against glibc, so a musl system (Alpine) must be told
// in one line instead of by the dynamic loader.

import { EmbeddedError } from './embedded-error.ts';

const PLATFORMS: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-arm64',
  'win32-x64': 'windows-x64',
};

const CURE = 'Give the URL of a PostgreSQL server (DATABASE_URL), or use SQLite (sqlite:///path/to/file).';

/** What decides whether a binary exists. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** False on a Linux whose C library is not glibc. */
  readonly glibc: boolean;
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  return { platform: process.platform, arch: process.arch, glibc: process.platform === 'linux' && hasGlibc() };
}

function hasGlibc(): boolean {
  const report: unknown = process.report.getReport();
  const header = (report as { header?: { glibcVersionRuntime?: string } }).header;
  return header?.glibcVersionRuntime !== undefined;
}

/**
 * The suffix of the binary package for a machine, for example `linux-x64`.
 * @throws EmbeddedError `ATH_EMBEDDED_PLATFORM` where no binary exists.
 */
export function platformName(machine: Machine = thisMachine()): string {
  const name = PLATFORMS[`${machine.platform}-${machine.arch}`];
  if (name === undefined) {
    const where = `${machine.platform} on ${machine.arch}`;
    throw new EmbeddedError('ATH_EMBEDDED_PLATFORM', `There is no embedded PostgreSQL for ${where}. ${CURE}`);
  }
  if (machine.platform === 'linux' && !machine.glibc) {
    const text = `There is no embedded PostgreSQL for a Linux without glibc (Alpine, musl). ${CURE}`;
    throw new EmbeddedError('ATH_EMBEDDED_PLATFORM', text);
  }
  return name;
}
