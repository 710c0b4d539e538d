// The two halves of a span, so that layout measures the text and only painting sees the style.
import type { Style } from './paint.ts';
import { printable } from './text.ts';
import type { Span } from './view.ts';

/** What is shown, with control characters escaped. */
export function spanText(span: Span): string {
  return printable(typeof span === 'string' ? span : span.text);
}

export function spanStyle(span: Span): Style {
  return typeof span === 'string' ? 'plain' : span.style;
}
