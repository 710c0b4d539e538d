// The names OpenTelemetry's semantic conventions for databases give to what is known here.
import type { Attributes } from '@opentelemetry/api';
import type { EngineFacts } from '../engine/events/engine-facts.ts';
import type { QueryTrace } from '../engine/events/channels.ts';
import { AthanorError, DatabaseError } from '../errors/index.ts';
import { querySummary, withoutLiterals } from './query-summary.ts';

/** Which database it is. */
export function databaseAttributes({ system, namespace, address, port }: EngineFacts): Attributes {
  return {
    'db.system.name': system,
    ...(namespace === undefined ? {} : { 'db.namespace': namespace }),
    ...(address === undefined ? {} : { 'server.address': address }),
    ...(port === undefined ? {} : { 'server.port': port }),
  };
}

/** What a pool is called among others: by the application, or by its address. */
export function poolName({ name, address, port, namespace, url }: EngineFacts): string {
  return name ?? (address === undefined ? url : `${address}:${port}/${namespace ?? ''}`);
}

export interface Operation {
  /** As a span is named. */
  readonly name: string;
  /** Of few different values: for metrics as well as for spans. */
  readonly attributes: Attributes;
  readonly text: string;
  readonly batchSize: number | undefined;
}

/** What a batch does. Several statements of one kind are a batch of that kind. */
export function operationOf({ statements, texts }: QueryTrace): Operation {
  const sent = statements.length > 0 ? statements : texts.map((sql) => ({ sql, parameters: 0, sets: undefined }));
  const summaries = sent.map(({ sql }) => querySummary(sql));
  const operations = new Set(summaries.map(({ operation }) => operation));
  const collections = new Set(summaries.map(({ collection }) => collection));
  const size = sent.reduce((sum, { sets = 1 }) => sum + sets, 0);
  const [only = 'UNKNOWN'] = operations;
  const single = operations.size === 1 ? only : undefined;
  const operation = size < 2 ? only : single === undefined ? 'BATCH' : `BATCH ${single}`;
  const [collection] = collections.size === 1 ? collections : [];
  const summary =
    sent.length === 1 && size === 1
      ? summaries[0]?.text
      : `${operation}${collection === undefined ? '' : ` ${collection}`}`;
  return {
    name: summary ?? operation,
    attributes: {
      'db.operation.name': operation,
      ...(collection === undefined ? {} : { 'db.collection.name': collection }),
      ...(summary === undefined ? {} : { 'db.query.summary': summary }),
    },
    // Who sends values beside the text has nothing secret in it; who does not may have.
    text: sent.map(({ sql, parameters }) => (parameters > 0 ? sql : withoutLiterals(sql))).join('; '),
    batchSize: size < 2 ? undefined : size,
  };
}

/** How it failed; empty where it did not. */
export function errorAttributes(error: unknown): Attributes {
  if (error === undefined) return {};
  if (error instanceof DatabaseError && error.sqlState !== undefined) {
    return { 'db.response.status_code': error.sqlState, 'error.type': error.sqlState };
  }
  if (error instanceof AthanorError) return { 'error.type': error.code };
  return { 'error.type': error instanceof Error ? error.name : '_OTHER' };
}
