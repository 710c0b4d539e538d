// Order out of dependencies. A unit of work needs two answers: in which order may groups be written, and which of them
// hang together in circles so that no order of groups exists.

/** A directed graph over the numbers 0 to `size - 1`: `edges[a]` holds every `b` that must come after `a`. */
export interface Graph {
  readonly size: number;
  readonly edges: readonly ReadonlySet<number>[];
}

/** The sets of nodes that reach each other. A node on no circle is a set of its own. */
export function strongComponents(graph: Graph): readonly (readonly number[])[] {
  const index = new Int32Array(graph.size).fill(-1);
  const low = new Int32Array(graph.size);
  const open = new Uint8Array(graph.size);
  const stack: number[] = [];
  const found: number[][] = [];
  let next = 0;
  // Iterative: a chain of rows may be longer than the call stack is deep.
  const visit = (root: number): void => {
    const work: { readonly node: number; readonly rest: Iterator<number> }[] = [];
    const enter = (node: number): void => {
      index[node] = low[node] = next++;
      stack.push(node);
      open[node] = 1;
      work.push({ node, rest: (graph.edges[node] as ReadonlySet<number>).values() });
    };
    enter(root);
    for (let frame = work.at(-1); frame !== undefined; frame = work.at(-1)) {
      const { node } = frame;
      const step = frame.rest.next();
      if (!step.done) {
        if (index[step.value] === -1) enter(step.value);
        else if (open[step.value] === 1) low[node] = Math.min(low[node] as number, index[step.value] as number);
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.node;
      if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[node] as number);
      if (low[node] === index[node]) found.push(closeComponent(stack, open, node));
    }
  };
  for (let node = 0; node < graph.size; node++) if (index[node] === -1) visit(node);
  return found;
}

function closeComponent(stack: number[], open: Uint8Array, root: number): number[] {
  const component: number[] = [];
  let node: number;
  do {
    node = stack.pop() as number;
    open[node] = 0;
    component.push(node);
  } while (node !== root);
  return component.sort((a, b) => a - b);
}

/**
 * The strong components in an order in which every edge goes forward. Where the edges leave a choice, the component
 * with the lowest node comes first, so that equal graphs give equal orders.
 */
export function orderedComponents(graph: Graph): readonly (readonly number[])[] {
  const components = strongComponents(graph);
  const owner = new Int32Array(graph.size);
  components.forEach((nodes, component) => {
    for (const node of nodes) owner[node] = component;
  });
  const after = components.map(() => new Set<number>());
  const waiting = new Int32Array(components.length);
  for (let node = 0; node < graph.size; node++) {
    for (const to of graph.edges[node] as ReadonlySet<number>) {
      const [from, target] = [owner[node] as number, owner[to] as number];
      if (from === target || (after[from] as Set<number>).has(target)) continue;
      (after[from] as Set<number>).add(target);
      waiting[target] = (waiting[target] as number) + 1;
    }
  }
  const ready = components.map((_, component) => component).filter((component) => waiting[component] === 0);
  const rank = (component: number): number => components[component]?.[0] as number;
  const order: (readonly number[])[] = [];
  while (ready.length > 0) {
    let best = 0;
    for (let i = 1; i < ready.length; i++) if (rank(ready[i] as number) < rank(ready[best] as number)) best = i;
    const component = ready.splice(best, 1)[0] as number;
    order.push(components[component] as readonly number[]);
    for (const target of after[component] as Set<number>) {
      waiting[target] = (waiting[target] as number) - 1;
      if (waiting[target] === 0) ready.push(target);
    }
  }
  return order;
}

/** What {@link layers} found: nodes layer by layer, and those no layer could take because they wait for each other. */
export interface Layers {
  readonly layers: readonly (readonly number[])[];
  readonly stuck: readonly number[];
}

/** Puts each node into the first layer that lies behind all it depends on. */
export function layers(graph: Graph): Layers {
  const waiting = new Int32Array(graph.size);
  for (const targets of graph.edges) for (const to of targets) waiting[to] = (waiting[to] as number) + 1;
  let current: number[] = [];
  for (let node = 0; node < graph.size; node++) if (waiting[node] === 0) current.push(node);
  const found: number[][] = [];
  let placed = 0;
  while (current.length > 0) {
    found.push(current);
    placed += current.length;
    const next: number[] = [];
    for (const node of current) {
      for (const to of graph.edges[node] as ReadonlySet<number>) {
        waiting[to] = (waiting[to] as number) - 1;
        if (waiting[to] === 0) next.push(to);
      }
    }
    current = next.sort((a, b) => a - b);
  }
  const stuck: number[] = [];
  if (placed < graph.size)
    for (let node = 0; node < graph.size; node++) if ((waiting[node] as number) > 0) stuck.push(node);
  return { layers: found, stuck };
}
