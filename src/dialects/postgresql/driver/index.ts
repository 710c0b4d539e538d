// The driver's face: what the dialect, the monitor and tests may use of it.
export {
  type AuthMethod,
  type Password,
  type PostgresConnectOptions,
  type PostgresOptions,
  type SslMode,
} from './options.ts';
export { createPostgresDriver, type PostgresDriver } from './postgres-driver.ts';
