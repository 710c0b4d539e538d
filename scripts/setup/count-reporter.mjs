// A reporter that keeps only the counts of the whole run, for the last line of the continuous integration.

/** Writes `{ passed, failed, skipped }` at the end. */
// oxlint-disable-next-line import/no-default-export -- the form node:test loads
export default async function* counts(source) {
  for await (const event of source) {
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { passed, failed, cancelled, skipped, todo } = event.data.counts;
    yield `${JSON.stringify({ passed, failed: failed + cancelled, skipped: skipped + todo })}\n`;
  }
}
