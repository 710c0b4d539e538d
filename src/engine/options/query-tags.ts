// Comments behind statements that say where they come from, as sqlcommenter writes them: a slow query in the server's
// log is then known by its route or job. Keys and values are percent-encoded, so that nothing in them ends the comment.
import { noteDerived } from '../../dialect/compile-facts.ts';
import type { DriverStatement, StatementText } from '../../driver/driver.ts';
import { Lru } from '../../primitives/lru.ts';

/** Names and values, or a function that gives them for each statement. */
export type Tags = TagValues | (() => TagValues);
/** `undefined` leaves a name out. */
export type TagValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** Different comments that are remembered for one text: a text the driver knows keeps its prepared statement. */
const KEPT = 32;

const texts = new WeakMap<StatementText, Lru<string, StatementText>>();

/** The batch with the tags behind each statement. The same text with the same tags is the same object. */
export function tagged(batch: readonly DriverStatement[], tags: Tags): readonly DriverStatement[] {
  const passing = typeof tags === 'function';
  const comment = commentOf(passing ? tags() : tags);
  if (comment === '') return batch;
  return batch.map((statement) => ({ ...statement, text: textWith(statement.text, comment, passing) }));
}

/** The tags of several layers, the upper one's first. */
export function joinedTags(below: Tags | undefined, over: Tags | undefined): Tags {
  if (below === undefined || over === undefined) return over ?? below ?? {};
  if (typeof below === 'object' && typeof over === 'object') return { ...below, ...over };
  return () => ({
    ...(typeof below === 'function' ? below() : below),
    ...(typeof over === 'function' ? over() : over),
  });
}

/** The comment alone: names in order, encoded; empty where there are none. */
export function commentOf(tags: TagValues): string {
  const parts = Object.keys(tags)
    .sort()
    .flatMap((name) => {
      const value = tags[name];
      return value === undefined ? [] : [`${encoded(name)}='${encoded(String(value))}'`];
    });
  return parts.length === 0 ? '' : `/*${parts.join(',')}*/`;
}

function textWith(text: StatementText, comment: string, passing: boolean): StatementText {
  // The line break ends a comment of the statement's own.
  if (passing) return derived({ ...text, sql: `${text.sql}\n${comment}`, prepare: false }, text);
  let known = texts.get(text);
  if (known === undefined) texts.set(text, (known = new Lru(KEPT)));
  let made = known.get(comment);
  if (made === undefined) {
    made = derived({ ...text, sql: `${text.sql}\n${comment}` }, text);
    known.set(comment, made);
  }
  return made;
}

function derived(text: StatementText, from: StatementText): StatementText {
  noteDerived(text, from);
  return Object.freeze(text);
}

/** As a URI component, and what that leaves alone but SQL does not. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['*!()]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
