// The whole of it: spans and metrics for every engine of this thread, from the library's own channels.
import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api';
import { keepMetrics } from './metrics.ts';
import { traceSpans } from './spans.ts';

export interface InstrumentOptions {
  /** Makes the spans. Default: the provider that is registered with OpenTelemetry's API. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Keeps the figures. Default: the provider that is registered with OpenTelemetry's API. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Whether spans hold the text of statements; never their values. Default true. */
  readonly queryText?: boolean | undefined;
  /** Whether each transaction is a span around its statements. Default true. */
  readonly transactions?: boolean | undefined;
}

const NAME = 'athanor';

/**
 * Makes spans and metrics of what every engine of this thread does, until the function that comes back is called. Needs
 * the package `@opentelemetry/api`.
 *
 * ```ts
 * const stop = instrument({ tracerProvider, meterProvider });
 * ```
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  const { tracerProvider = trace, meterProvider = metrics, queryText = true, transactions = true } = options;
  const offs = [
    traceSpans(tracerProvider.getTracer(NAME), { queryText, transactions }),
    keepMetrics(meterProvider.getMeter(NAME)),
  ];
  return () => {
    for (const off of offs) off();
  };
}
