// The modules that are built as files of their own; all others are joined: see bundle.mjs.

/** By package folder: what is imported by name, and what threads and processes are started with. */
export const ENTRIES = {
  '': [
    'index',
    'otel',
    'process',
    'pg-pool',
    'testing',
    'testing/proxy-main',
    'process/jobs/job-child',
    'process/broker/broker-thread',
    'dialects/postgresql/open-monitor',
    'dialects/postgresql/embedded',
  ],
  'packages/embedded': ['index', 'watcher-main'],
};
