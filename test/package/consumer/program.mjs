// A stranger's first program: connect, model, insert, query. It is given athanor by whoever loads it.

import assert from 'node:assert/strict';

export async function program({ createEngine, declarativeBase, integer, text, select, sessionmaker }, url) {
  class Base extends declarativeBase() {}
  class Person extends Base.table('people', { id: integer().primaryKey(), name: text(), age: integer() }) {}

  const engine = createEngine(url);
  const Session = sessionmaker({ bind: engine });
  await Base.metadata.dropAll(engine);
  await Base.metadata.createAll(engine);
  await Session.begin(async (session) => {
    session.addAll([new Person({ name: 'Ada', age: 36 }), new Person({ name: 'Grace', age: 85 })]);
  });
  await Session.begin(async (session) => {
    const ada = await session.scalars(select(Person).where(Person.c.name.eq('Ada'))).one();
    ada.age += 1;
  });
  await Session.begin(async (session) => {
    const people = await session.scalars(select(Person).orderBy(Person.c.age));
    assert.deepEqual(
      people.map((person) => [person.name, person.age]),
      [
        ['Ada', 37],
        ['Grace', 85],
      ],
    );
  });
  await engine.close();
}
