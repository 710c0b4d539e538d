// Writes units of work until it is told to stop, and says on its standard output, at once, what it began and what
// became of it. Its shutdown is the one a service has.
import { writeSync } from 'node:fs';
import { AthanorError } from '../../../src/errors/index.ts';
import { postgresqlDialect } from '../../../src/dialects/postgresql/dialect.ts';
import { createPostgresDriver } from '../../../src/dialects/postgresql/driver/index.ts';
import { parsePostgresUrl } from '../../../src/dialects/postgresql/url.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { LocalPermits } from '../../../src/pool/local-permits.ts';

const [url = '', name = '', statement = ''] = process.argv.slice(2);
const driver = createPostgresDriver({ ...parsePostgresUrl(url, {}), applicationName: name });
const engine = new Engine({ dialect: postgresqlDialect({ driver }), permits: new LocalPermits({ max: 4 }), url: '' });
let stopping = false;

// A second signal finds no listener and ends the process as the system does.
process.once('SIGTERM', () => {
  stopping = true;
  say('stopping');
  process.exitCode = 7;
  void engine.close({ timeout: 2_000 });
});

function say(...words: readonly string[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

async function write(writer: number): Promise<void> {
  for (let round = 0; !stopping; round += 1) {
    const work = `${name}-${writer}.${round}`;
    say('begin', work);
    try {
      await engine.begin(async (connection) => {
        await connection.raw("insert into ledger values ($1, 0, '')", [work]).all();
        if (statement !== '') await connection.raw(statement).all();
        await connection.raw("insert into ledger values ($1, 1, '')", [work]).all();
      });
      say('done', work);
    } catch (error) {
      say('failed', work, error instanceof AthanorError ? String(error.outcome) : String(error));
    }
  }
}

await Promise.all([1, 2, 3, 4].map(write));
