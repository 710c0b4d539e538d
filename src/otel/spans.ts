// A span for each batch, under whatever span the caller was in, and one around each transaction.
import { type Context, context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { CONNECT, QUERY, TRANSACTION, type TransactionTrace } from '../engine/events/channels.ts';
import { databaseAttributes, errorAttributes, operationOf } from './attributes.ts';
import { subscribe } from './subscribe.ts';

export interface SpanOptions {
  /** Whether spans hold the text of statements, values left out. */
  readonly queryText: boolean;
  /** Whether each transaction is a span around its statements. */
  readonly transactions: boolean;
}

/** Makes spans until what comes back is called. */
export function traceSpans(tracer: Tracer, { queryText, transactions }: SpanOptions): () => void {
  const around = new WeakMap<TransactionTrace, Around>();
  const offs = [
    subscribe(CONNECT, {
      begin: ({ engine }) =>
        tracer.startSpan('connect', { kind: SpanKind.CLIENT, attributes: databaseAttributes(engine) }),
      end: ({ error }, span) => finished(span, error),
    }),
    subscribe(QUERY, {
      begin(query) {
        const { name, attributes, text, batchSize } = operationOf(query);
        const parent = query.transaction === undefined ? undefined : around.get(query.transaction);
        return tracer.startSpan(
          name,
          {
            kind: SpanKind.CLIENT,
            attributes: {
              ...databaseAttributes(query.engine),
              ...attributes,
              ...(queryText ? { 'db.query.text': text } : {}),
              ...(batchSize === undefined ? {} : { 'db.operation.batch.size': batchSize }),
            },
          },
          under(parent),
        );
      },
      end({ error, rows }, span) {
        const returned = rows?.reduce((sum: number, count = 0) => sum + count, 0);
        if (error === undefined && returned !== undefined) span.setAttribute('db.response.returned_rows', returned);
        finished(span, error);
      },
    }),
  ];
  if (transactions) {
    offs.push(
      subscribe(TRANSACTION, {
        begin(transaction) {
          const span = tracer.startSpan('transaction', {
            kind: SpanKind.INTERNAL,
            attributes: databaseAttributes(transaction.engine),
          });
          around.set(transaction, { span, caller: trace.getActiveSpan() });
          return span;
        },
        end({ outcome, error }, span) {
          if (outcome !== undefined) span.setAttribute('athanor.transaction.outcome', outcome);
          finished(span, error);
        },
      }),
    );
  }
  return () => {
    for (const off of offs) off();
  };
}

interface Around {
  readonly span: Span;
  /** What it began in. */
  readonly caller: Span | undefined;
}

/** The transaction, where the caller is still in what it began in; else the caller's own context, which says more. */
function under(parent: Around | undefined): Context {
  const active = context.active();
  if (parent === undefined || parent.caller !== trace.getActiveSpan()) return active;
  return trace.setSpan(active, parent.span);
}

function finished(span: Span, error: unknown): void {
  if (error !== undefined) {
    span.setAttributes(errorAttributes(error));
    // The library's own messages hold no values; what others say is not known.
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
