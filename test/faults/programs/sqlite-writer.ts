// Flushes units of fifty rows into a SQLite file, one after another, and says at once which are committed. It is made
// to be killed.
import { writeSync } from 'node:fs';
import { createEngine, declarativeBase, integer, sessionmaker, text } from 'athanor';

class Base extends declarativeBase() {}
class Line extends Base.table('line', { id: integer().primaryKey(), work: text(), filler: text() }) {}

const [file = '', name = ''] = process.argv.slice(2);
const engine = createEngine(`sqlite:${file}`);
const Session = sessionmaker({ bind: engine });
await Base.metadata.createAll(engine);
const ROWS = 50;
writeSync(1, 'ready\n');
for (let round = 0; ; round += 1) {
  const work = `${name}.${round}`;
  await Session.begin(async (session) => {
    for (let row = 0; row < ROWS; row += 1) {
      session.add(new Line({ work, filler: `${row} ${'x'.repeat(200)}` }));
    }
  });
  writeSync(1, `${work}\n`);
}
