// A child process or worker that reaches a database.
import { announceSubmission } from '../../../src/driver/submissions.ts';

announceSubmission({ database: process.argv[2] ?? '', version: '1' });
