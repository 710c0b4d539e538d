// Functions made for one class: straight-line property reads that an engine compiles to a few instructions each. Where
// code generation is forbidden (a strict Content-Security-Policy, --disallow-code-generation-from-strings), closures do
// the same more slowly.

let allowed: boolean | undefined;

/** Whether functions may be made from text here. */
export function canGenerate(): boolean {
  if (allowed === undefined) {
    try {
      // oxlint-disable-next-line typescript/no-implied-eval -- whether it is allowed is the question
      allowed = new Function('return 1')() === 1;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/**
 * A function from text. `parameters` become constants around it. Only property names quoted by {@link quoted} and
 * numbers ever enter the text.
 */
export function generate<F>(text: string, parameters: Readonly<Record<string, unknown>>): F {
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  return new Function(...Object.keys(parameters), `'use strict'; ${text}`)(...Object.values(parameters)) as F;
}

/** A property name as a string literal; the line separators that JSON leaves bare are legal there since ES2019. */
export function quoted(name: string): string {
  return JSON.stringify(name);
}
