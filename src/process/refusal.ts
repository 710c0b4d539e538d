// The words of a want that was not met: what happened, in numbers, then the cures.
import { BudgetTimeoutError } from '../errors/index.ts';
import type { RefusalFacts } from './messages.ts';

/** The error of a wait for a permit that came to its deadline. */
export function budgetTimeout(facts: RefusalFacts): BudgetTimeoutError {
  const total = facts.budget === null ? '' : ` of ${facts.budget}`;
  const parts = [
    `Waited ${facts.waited} ms for a connection permit`,
    `this process holds ${facts.held}`,
    `the tree holds ${facts.used}${total}`,
  ];
  if (facts.quarantined > 0) parts.push(`${facts.quarantined} of them left by dead processes`);
  const [longest] = facts.holders;
  if (longest !== undefined) {
    const name = longest.application === '' ? '' : ` (${longest.application})`;
    parts.push(`longest holder pid ${longest.pid}${name}, ${(longest.age / 1000).toFixed(1)} s`);
  }
  if (facts.reason !== null) parts.push(facts.reason);
  return new BudgetTimeoutError(`${parts.join('; ')}.`, {
    hint: 'Hold connections for less time, use fewer at once, raise the budget, or give the wait a longer timeout.',
    outcome: 'not-sent',
  });
}
