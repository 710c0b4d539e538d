// Warns of a query whose tables nothing joins: its rows are every combination, which is nearly always a forgotten
// condition. Looked at when a text is made, so that the second statement of a shape pays nothing.
import type { CompileListener } from '../../dialect/compile-cache.ts';
import { CallSite } from '../../primitives/call-site.ts';
import type { AnyStatementNode } from '../../sql/expression-node.ts';
import { unjoined, type UnjoinedParts } from '../../sql/unjoined.ts';
import { type Logger, warn } from './logger.ts';

export interface JoinLinterOptions {
  readonly lintJoins?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/** Frames looked through for the caller's line where he was not noted. */
const FRAMES = 50;

/** What a compile cache tells; `undefined` where nobody wants to be warned. */
export function joinLinter({ lintJoins = true, logger }: JoinLinterOptions): CompileListener | undefined {
  if (!lintJoins) return undefined;
  return function lint(statement, site) {
    for (const parts of unjoined(statement as AnyStatementNode)) {
      warn(logger, 'ATH_CARTESIAN_PRODUCT', textOf(parts, site ?? new CallSite(lint, FRAMES)));
    }
  };
}

function textOf(parts: UnjoinedParts, site: CallSite): string {
  const names = parts.map((part) => part.join(' with '));
  const last = names.pop() as string;
  return (
    `The query at ${site.toString()} joins ${names.join(', ')} and ${last} by nothing: it gives every combination of ` +
    'their rows. Add a condition, or join() what is meant to be so; lintJoins: false turns this off.'
  );
}
