// athanor/otel: spans and metrics for OpenTelemetry, by its conventions for databases.
export { instrument, type InstrumentOptions } from './otel/instrument.ts';
