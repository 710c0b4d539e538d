// Where the library's own modules are: the sources run as they stand, the build has all that is shared in one folder
// and leaves only the entries in theirs. Threads, processes and the monitor are started from such addresses.

const BUILT = !import.meta.url.endsWith('.ts');

/** The folder this library's modules are in. */
export const OWN_FOLDER: URL = new URL(BUILT ? './' : '../', import.meta.url);

/** The address of an entry, named from that folder and without its ending: `ownModule('process/jobs/job-child')`. */
export function ownModule(name: string): URL {
  return new URL(`${name}${BUILT ? '.js' : '.ts'}`, OWN_FOLDER);
}
