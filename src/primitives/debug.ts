// `ATHANOR_DEBUG=sql,pool,process` prints what these parts do to standard error. Whoever may print asks once, at
// construction, and keeps `undefined` otherwise, so that silence costs nothing.

export type DebugTopic = 'sql' | 'pool' | 'process';

/** Writes one line. */
export type DebugWriter = (line: string) => void;

/** The writer of a topic, or `undefined` where nobody asked for it. */
export function debugWriter(
  topic: DebugTopic,
  setting: string | undefined = process.env['ATHANOR_DEBUG'],
): DebugWriter | undefined {
  if (setting === undefined || !setting.split(/[\s,]+/).some((word) => word === topic || word === '*'))
    return undefined;
  return (line) => {
    process.stderr.write(`athanor ${topic} ${process.pid} ${line}\n`);
  };
}
