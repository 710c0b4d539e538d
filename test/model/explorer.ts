// Visits every state a small model can reach, breadth first, so that the trace to a bad one is a shortest one.

export interface Model<State> {
  readonly initial: State;
  /** Every step possible from a state: what happens, and the state after it. The given state must not change. */
  steps(state: State): Iterable<readonly [what: string, after: State]>;
  /** What is wrong with a state, if anything is. */
  wrong(state: State): string | undefined;
}

export interface Verdict {
  readonly outcome: 'holds' | 'wrong' | 'stuck';
  readonly states: number;
  /** The steps that lead to the state that is wrong or stuck. */
  readonly trace: readonly string[];
  readonly reason?: string | undefined;
}

interface Visit<State> {
  readonly state: State;
  readonly from: Visit<State> | undefined;
  readonly what: string;
}

/** Explores all of a model. A state from which no step leads on is stuck. */
export function explore<State>(model: Model<State>, limit = 200_000): Verdict {
  const first: Visit<State> = { state: model.initial, from: undefined, what: '' };
  const seen = new Set([JSON.stringify(model.initial)]);
  const queue: Visit<State>[] = [first];
  for (let at = 0; at < queue.length; at += 1) {
    const visit = queue[at] as Visit<State>;
    let stuck = true;
    for (const [what, state] of model.steps(visit.state)) {
      stuck = false;
      const key = JSON.stringify(state);
      if (seen.has(key)) continue;
      seen.add(key);
      const next: Visit<State> = { state, from: visit, what };
      const reason = model.wrong(state);
      if (reason !== undefined) return { outcome: 'wrong', states: seen.size, trace: trace(next), reason };
      queue.push(next);
    }
    if (stuck) return { outcome: 'stuck', states: seen.size, trace: trace(visit) };
    if (seen.size > limit) throw new RangeError(`more than ${limit} states`);
  }
  return { outcome: 'holds', states: seen.size, trace: [] };
}

function trace<State>(visit: Visit<State>): string[] {
  const steps: string[] = [];
  for (let at: Visit<State> | undefined = visit; at?.from !== undefined; at = at.from) steps.unshift(at.what);
  return steps;
}
