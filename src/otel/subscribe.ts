// Listens to a channel as pairs of a beginning and an end.
import type { TracingChannel } from 'node:diagnostics_channel';

export interface Watching<Context extends object, State> {
  /** Called where the caller is, so that what is around him is there. */
  begin(context: Context): State;
  end(context: Context, state: State): void;
}

/** Subscribes until what comes back is called. */
export function subscribe<Context extends object, State>(
  channel: TracingChannel<unknown, Context>,
  watching: Watching<Context, State>,
): () => void {
  const open = new WeakMap<Context, { readonly state: State }>();
  const handlers = {
    start(context: Context): void {
      open.set(context, { state: watching.begin(context) });
    },
    asyncEnd(context: Context): void {
      const found = open.get(context);
      if (found === undefined) return;
      open.delete(context);
      watching.end(context, found.state);
    },
    // All five are asked for; three say nothing new.
    end(): void {},
    asyncStart(): void {},
    error(): void {},
  };
  channel.subscribe(handlers);
  return () => {
    channel.unsubscribe(handlers);
  };
}
