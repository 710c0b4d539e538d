/* oxlint-disable typescript/no-misused-spread, typescript/await-thenable -- a relation that is loaded already may be awaited too */
// Relations against each database: reading without surprise, writing in order, both sides in step.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { randomUUID } from 'node:crypto';
import { DetachedEntityError, FlushError, NotLoadedError, UsageError } from '../../src/errors/index.ts';
import {
  assign,
  declarativeBase,
  entityStatus,
  isLoaded,
  joinedload,
  many,
  maybe,
  one,
  selectinload,
  type Session,
  type SessionMaker,
  sessionmaker,
} from '../../src/orm/index.ts';
import { fk, integer, text, uuid } from '../../src/schema/columns.ts';
import { alias } from '../../src/sql/alias.ts';
import { select } from '../../src/sql/statements/select.ts';
import { foreignKey } from '../../src/schema/constraint.ts';
import { databases, type Watched } from './orm-kit.ts';

class Base extends declarativeBase() {}
class Author extends Base.table(
  'authors',
  {
    id: integer().primaryKey(),
    name: text(),
    favouriteId: fk(() => Book.c.id).nullable(),
    favourite: maybe(() => Book),
    books: many(() => Book, { by: () => Book.c.authorId, orderBy: () => Book.c.title.desc() }),
    notes: many(() => Note, { cascade: 'all, delete-orphan' }),
  },
  { hybrids: (a) => ({ shout: a.name.concat('!') }) },
) {
  get shout(): string {
    return `${this.name}!`;
  }
}
class Book extends Base.table('books', {
  id: integer().primaryKey(),
  title: text(),
  authorId: fk(() => Author.c.id).nullable(),
  author: maybe(() => Author, { by: () => Book.c.authorId }),
  genres: many(() => Genre, { through: () => BookGenre }),
}) {}
class Note extends Base.table('notes', {
  id: integer().primaryKey(),
  body: text(),
  authorId: fk(() => Author.c.id),
  author: one(() => Author),
}) {}
class Genre extends Base.table('genres', {
  id: integer().primaryKey(),
  name: text(),
  books: many(() => Book, { through: () => BookGenre, backref: 'genres' }),
}) {}
class BookGenre extends Base.table('book_genres', {
  bookId: fk(() => Book.c.id).primaryKey(),
  genreId: fk(() => Genre.c.id).primaryKey(),
  rank: integer().default(1),
}) {}
class Part extends Base.table('parts', {
  id: integer().primaryKey(),
  name: text(),
  parentId: fk(() => Part.c.id).nullable(),
  parent: maybe(() => Part, { remote: () => Part.c.id }),
  parts: many(() => Part, { by: () => Part.c.parentId, cascade: 'all, delete-orphan' }),
}) {}
class Doc extends Base.table('docs', {
  id: uuid()
    .primaryKey()
    .default(() => randomUUID()),
  parentId: fk(() => Doc.c.id).nullable(),
  parent: maybe(() => Doc),
  docs: many(() => Doc),
}) {}
class Zone extends Base.table('zones', {
  country: text().primaryKey(),
  code: integer().primaryKey(),
  name: text(),
  cities: many(() => City),
}) {}
class City extends Base.table(
  'cities',
  {
    id: integer().primaryKey(),
    name: text(),
    country: text().nullable(),
    zoneCode: integer().nullable(),
    zone: maybe(() => Zone),
  },
  { constraints: (c) => [foreignKey([c.country, c.zoneCode], () => [Zone.c.country, Zone.c.code])] },
) {}

for (const [name, open] of Object.entries(databases)) {
  describe(`relations on ${name}`, () => {
    let bind: Watched;
    let Session: SessionMaker;
    const made: Session[] = [];
    const session = (): Session => {
      const one = Session();
      made.push(one);
      return one;
    };
    const peek = <T>(read: (session: Session) => Promise<T>): Promise<T> => Session.begin(read);

    before(async () => {
      bind = await open();
      Session = sessionmaker({ bind });
    });
    after(() => bind.stop());
    beforeEach(async () => {
      for (const one of made.splice(0)) await one.close();
      await Base.metadata.dropAll(bind);
      await Base.metadata.createAll(bind);
      bind.sent();
    });

    /** Three authors; the n-th has n books, each with two genres, and n notes. */
    async function fill(): Promise<void> {
      await Session.begin(async (s) => {
        const genres = ['red', 'blue'].map((genre) => new Genre({ name: genre }));
        for (let n = 1; n <= 3; n++) {
          const books = Array.from({ length: n }, (_, at) => new Book({ title: `${n}.${at}`, genres }));
          const notes = Array.from({ length: n }, (_, at) => new Note({ body: `${n}.${at}` } as never));
          s.add(new Author({ name: `a${n}`, books, notes }));
        }
      });
      bind.sent();
    }
    const authors = (s: Session): Promise<Author[]> => s.scalars(select(Author).orderBy(Author.c.id)).all();

    it('[F156] writes parents first and fills in keys, from either side', async () => {
      const one = session();
      const author = new Author({ name: 'a' });
      author.books.add(new Book({ title: 'x' }), new Book({ title: 'y' }));
      const book = new Book({ title: 'z', author });
      one.add(book);
      await one.commit();
      assert.deepEqual(
        (await peek(async (s) => s.execute(select(Book.c.title, Book.c.authorId).orderBy(Book.c.id)))).map(
          (row) => row.authorId,
        ),
        [1, 1, 1],
      );
      assert.equal(book.authorId, 1);
      const other = session();
      const [read] = await authors(other);
      assert.ok(read);
      assert.deepEqual(
        (await read.books).map(({ title }) => title),
        ['z', 'y', 'x'],
      );
      const [first] = await read.books;
      assert.equal(await first?.author, read);
    });

    it('reads nothing by itself: a field is loaded, or says that it is not', async () => {
      await fill();
      const one = session();
      const [author] = await authors(one);
      assert.ok(author);
      bind.sent();
      assert.equal(isLoaded(author.books), false);
      assert.equal((author.books as { length?: number }).length, undefined);
      assert.match(inspect(author.books), /Author.books: not loaded, await it/);
      assert.equal(author.favourite, null);
      assert.equal(isLoaded(author.favourite), true);
      assert.equal(Object.hasOwn(author, 'books'), false);
      assert.deepEqual(bind.sent(), []);
      const books = await author.books;
      assert.ok(Array.isArray(books) && !('then' in books));
      assert.equal(author.books, books);
      assert.deepStrictEqual(books, [...books]);
      assert.deepEqual(JSON.parse(JSON.stringify(author)).books[0].author, { id: 1 });
      assert.equal(structuredClone({ ...author }).name, 'a1');
    });

    it('[F174] loads a relation for all entities of the same result, and joins awaits of one tick', async () => {
      await fill();
      const one = session();
      const all = await authors(one);
      bind.sent();
      for (const author of all) assert.equal((await author.books).length, author.id);
      assert.equal(bind.sent().length, 1);
      const books = all.flatMap((author) => (isLoaded(author.books) ? [...author.books] : []));
      const [genres, notes] = await Promise.all([
        Promise.all(books.map((book) => book.genres)),
        Promise.all(all.map((author) => author.notes)),
      ]);
      assert.equal(bind.sent().length, 2);
      assert.ok(genres.every((list) => list.length === 2));
      assert.deepEqual(
        notes.map((list) => list.length),
        [1, 2, 3],
      );
      // To-one: what is in the session already is not asked for again.
      assert.equal(await books[0]?.author, all[0]);
      assert.deepEqual(bind.sent(), []);
      await one.commit();
      const loose = await one.scalars(select(Note).orderBy(Note.c.id)).all();
      bind.sent();
      assert.deepEqual(
        (await Promise.all(loose.map((note) => note.author))).map((author) => author.name),
        ['a1', 'a2', 'a2', 'a3', 'a3', 'a3'],
      );
      assert.equal(bind.sent().length, 1);
    });

    it('asks 500 keys at a time', async () => {
      await Session.begin(async (s) => {
        s.addAll(Array.from({ length: 1001 }, (_, n) => new Author({ name: `a${n}` })));
      });
      const one = session();
      const all = await authors(one);
      bind.sent();
      await all[0]?.notes;
      assert.equal(bind.sent().length, 3);
    });

    it('is strict on request', async () => {
      await fill();
      const one = Session({ strict: true });
      made.push(one);
      const [author] = await authors(one);
      await assert.rejects(
        async () => author?.books,
        (error: unknown) => error instanceof NotLoadedError && /selectinload\(Author.c.books\)/.test(error.message),
      );
      const [loaded] = await one.scalars(select(Author).options(selectinload(Author.c.books))).all();
      assert.equal(loaded?.books.length, 1);
    });

    it('[F176] loads with the select, level by level', async () => {
      await fill();
      const one = session();
      const all = await one
        .scalars(
          select(Author)
            .where(Author.c.id.gt(1))
            .orderBy(Author.c.id)
            .options(
              selectinload(Author.c.books, selectinload(Book.c.genres), joinedload(Book.c.author)),
              selectinload(Author.c.notes),
            ),
        )
        .all();
      assert.equal(bind.sent().length, 4);
      assert.deepEqual(
        all.map((author) => author.books.map((book) => book.genres.map((genre) => genre.name))),
        [
          [
            ['red', 'blue'],
            ['red', 'blue'],
          ],
          [
            ['red', 'blue'],
            ['red', 'blue'],
            ['red', 'blue'],
          ],
        ],
      );
      assert.ok(all.every((author) => author.books.every((book) => book.author === author)));
      const row = await one
        .execute(
          select({ author: Author, title: Book.c.title })
            .join(Author.c.books)
            .where(Book.c.title.eq('1.0'))
            .options(selectinload(Author.c.notes)),
        )
        .one();
      assert.equal(row.author.notes.length, 1);
      const p = alias(Author, 'p');
      const aliased = await one
        .scalars(
          select(p)
            .where(p.c.id.eq(3))
            .options(selectinload(p.c.books) as never),
        )
        .one();
      assert.equal(isLoaded(aliased.books), true);
      await assert.rejects(one.scalars(select(Book).options(selectinload(Author.c.books) as never)).all(), UsageError);
      const got = await one.get(Author, 2, { load: [selectinload(Author.c.notes)] });
      assert.equal(got?.notes.length, 2);
      const loaded = await one.load(await one.getOne(Book, 1), selectinload(Book.c.genres));
      assert.equal(loaded.genres.length, 2);
      const [watched] = await one
        .scalars(select(Author).where(Author.c.id.eq(2)).options(selectinload(Author.c.books)), { readOnly: true })
        .all();
      assert.equal(watched?.books.length, 2);
      assert.equal(entityStatus(watched?.books[0] as Book), 'detached');
    });

    it('[F172] keeps both sides in step before anything is written, loading neither', async () => {
      await fill();
      const one = session();
      const [first, second] = await authors(one);
      assert.ok(first && second);
      const [book] = await second.books;
      assert.ok(book);
      bind.sent();
      first.books.add(book);
      assert.equal(book.author, first);
      assert.equal(book.authorId, first.id);
      assert.ok(isLoaded(second.books) && !second.books.includes(book));
      const fresh = new Book({ title: 'fresh' });
      fresh.author = second;
      assert.ok(second.books.includes(fresh));
      fresh.author = null;
      assert.ok(!second.books.includes(fresh));
      assert.equal(fresh.authorId, null);
      assert.deepEqual(bind.sent(), []);
      await one.commit();
      assert.deepEqual(await peek(async (s) => s.scalars(select(Book.c.authorId).where(Book.c.id.eq(book.id)))), [1]);
      book.authorId = second.id;
      assert.equal(await book.author, second);
    });

    it('adds to a list that was never loaded', async () => {
      await fill();
      const one = session();
      const [, , third] = await authors(one);
      assert.ok(third);
      bind.sent();
      third.books.add(new Book({ title: 'z' }));
      await one.noAutoflush(async () => {
        assert.deepEqual(
          (await third.books).map(({ title }) => title),
          ['3.2', '3.1', '3.0', 'z'],
        );
      });
      await one.commit();
      assert.equal((await peek(async (s) => s.scalars(select(Book).where(Book.c.authorId.eq(3))))).length, 4);
    });

    it('removes from a list: the key becomes NULL, or the orphan goes', async () => {
      await fill();
      const one = session();
      const [, second] = await authors(one);
      assert.ok(second);
      const [book, other] = await second.books;
      const [note] = await second.notes;
      assert.ok(book && other && note);
      (await second.books).remove(book);
      second.notes.remove(note);
      const pending = new Note({ body: 'never' } as never);
      second.notes.add(pending);
      second.notes.remove(pending);
      assert.equal(book.author, null);
      await one.commit();
      assert.equal(entityStatus(note), 'detached');
      assert.equal(entityStatus(pending), 'transient');
      assert.deepEqual(
        (await second.books).map(({ id }) => id),
        [other.id],
      );
      assert.equal((await peek(async (s) => s.scalars(select(Note).where(Note.c.authorId.eq(2))))).length, 1);
      assert.deepEqual(await peek(async (s) => s.scalars(select(Book.c.authorId).where(Book.c.id.eq(book.id)))), [
        null,
      ]);
      assign(second, { books: [book] });
      await one.commit();
      assert.deepEqual(await peek(async (s) => s.scalars(select(Book.c.id).where(Book.c.authorId.eq(2)))), [book.id]);
    });

    it('moves an orphan to another parent instead of deleting it', async () => {
      await fill();
      const one = session();
      const [first, second] = await authors(one);
      assert.ok(first && second);
      const [note] = await second.notes;
      assert.ok(note);
      second.notes.remove(note);
      first.notes.add(note);
      await one.commit();
      assert.equal(entityStatus(note), 'persistent');
      assert.equal(note.authorId, first.id);
    });

    it('[F165] deletes along cascades, and clears the keys of the others', async () => {
      await fill();
      const one = session();
      const third = await one.getOne(Author, 3);
      one.delete(third);
      await one.commit();
      assert.deepEqual(await peek(async (s) => s.scalars(select(Note.c.authorId).where(Note.c.authorId.eq(3)))), []);
      assert.equal((await peek(async (s) => s.scalars(select(Book).where(Book.c.authorId.isNull())))).length, 3);
    });

    it('saves what is related, unless told not to', async () => {
      class Quiet extends Base.table('quiets', {
        id: integer().primaryKey(),
        authorId: fk(() => Author.c.id),
        author: one(() => Author, { cascade: 'none' }),
      }) {}
      await Base.metadata.createAll(bind);
      const s = session();
      const author = new Author({ name: 'not added' });
      s.add(new Quiet({ author }));
      await assert.rejects(s.flush(), FlushError);
      s.add(author);
      await s.commit();
    });

    it('[F158] writes the rows in between', async () => {
      const one = session();
      const [red, blue] = [new Genre({ name: 'red' }), new Genre({ name: 'blue' })];
      const book = new Book({ title: 'b', genres: [red] });
      one.add(book);
      book.genres.add(blue);
      blue.books.add(new Book({ title: 'c' }));
      await one.commit();
      const links = (): Promise<string[]> =>
        peek(async (s) =>
          (
            await s.execute(
              select(BookGenre.c.bookId, BookGenre.c.genreId, BookGenre.c.rank).orderBy(
                BookGenre.c.bookId,
                BookGenre.c.genreId,
              ),
            )
          ).map((row) => Object.values(row).join()),
        );
      assert.deepEqual(await links(), ['1,1,1', '1,2,1', '2,2,1']);
      const other = session();
      const read = await other.getOne(Book, 1);
      const genres = await read.genres;
      const [first] = genres;
      assert.ok(first);
      genres.remove(first);
      assert.ok(!isLoaded(first.books) || !first.books.includes(read));
      await other.commit();
      assert.deepEqual(await links(), ['1,2,1', '2,2,1']);
      other.delete(read);
      await other.commit();
      assert.deepEqual(await links(), ['2,2,1']);
      // Unloaded: what is added twice is one row, what is added and removed is none.
      const genre = await other.getOne(Genre, 1);
      const second = await other.getOne(Book, 2);
      genre.books.add(second);
      genre.books.add(second);
      second.genres.remove(genre);
      genre.books.add(second);
      await other.commit();
      assert.deepEqual(await links(), ['2,1,1', '2,2,1']);
    });

    it('[F160] works on a table that refers to itself', async () => {
      const one = session();
      const root = new Part({
        name: 'root',
        parts: [new Part({ name: 'a', parts: [new Part({ name: 'aa' })] }), new Part({ name: 'b' })],
      });
      one.add(root);
      assert.equal(one.plan().steps.length, 3);
      await one.commit();
      const other = session();
      const top = await other
        .scalars(
          select(Part)
            .where(Part.c.parentId.isNull())
            .options(selectinload(Part.c.parts, selectinload(Part.c.parts))),
        )
        .one();
      assert.deepEqual(
        top.parts.map((part) => [part.name, part.parts.map((inner) => inner.name)]),
        [
          ['a', ['aa']],
          ['b', []],
        ],
      );
      assert.equal(await top.parts[0]?.parent, top);
      other.delete(top);
      assert.match(String(other.plan()), /3 statements, 4 rows/);
      await other.commit();
      assert.deepEqual(await peek(async (s) => s.scalars(select(Part))), []);
    });

    it('writes two rows that need each other', async () => {
      const one = session();
      const author = new Author({ name: 'a' });
      const book = new Book({ title: 'b', author });
      author.favourite = book;
      one.add(author);
      await one.commit();
      assert.deepEqual([author.favouriteId, book.authorId], [book.id, author.id]);
      assert.equal(one.plan().steps.length, 0);
      const [read] = await peek(async (s) => s.execute(select(Author.c.favouriteId)));
      assert.equal(read?.favouriteId, book.id);
      const other = session();
      const again = await other.getOne(Author, 1);
      const favourite = await again.favourite;
      assert.ok(favourite);
      other.delete(favourite);
      other.delete(again);
      await other.commit();
      assert.deepEqual(await peek(async (s) => s.scalars(select(Author))), []);
    });

    it('needs one trip where the keys are made here', async () => {
      const one = session();
      const leaf = new Doc({});
      const root = new Doc({ docs: [new Doc({ docs: [leaf] })] });
      one.add(root);
      await one.commit();
      assert.equal(bind.sent().length, 1);
      assert.equal((await leaf.parent)?.parentId, root.id);
      const other = new Doc({});
      one.add(other);
      await one.flush();
      assert.equal(typeof other.id, 'string');
      await one.rollback();
      assert.throws(() => other.id, NotLoadedError);
    });

    it('[F162] goes by keys of several columns', async () => {
      const one = session();
      const zone = new Zone({ country: 'x', code: 1, name: 'z', cities: [new City({ name: 'c' })] });
      one.add(zone, new Zone({ country: 'x', code: 2, name: 'y' }));
      await one.commit();
      const other = session();
      const zones = await other.scalars(select(Zone).orderBy(Zone.c.code)).all();
      const cities = await Promise.all(zones.map((each) => each.cities));
      assert.deepEqual(
        cities.map((list) => list.map((city) => city.name)),
        [['c'], []],
      );
      await other.commit();
      const city = await other.getOne(City, 1);
      assert.equal((await city.zone)?.name, 'z');
      city.zone = zones[1] as Zone;
      await other.commit();
      assert.deepEqual([city.country, city.zoneCode], ['x', 2]);
    });

    it('[F173] asks whether there are related rows, and [F141] hybrids work on both sides', async () => {
      await fill();
      const one = session();
      const found = await one
        .scalars(
          select(Book).where(Book.c.genres.any(Genre.c.name.eq('red')), Book.c.author.any(Author.c.name.eq('a2'))),
        )
        .all();
      assert.equal(found.length, 2);
      assert.equal((await one.scalars(select(Author).where(Author.c.notes.none())).all()).length, 0);
      const shouts = await one.execute(select(Author.c.shout).where(Author.c.shout.eq('a2!')));
      assert.deepEqual(shouts, [{ shout: 'a2!' }]);
      assert.equal((await one.getOne(Author, 2)).shout, 'a2!');
      const p = alias(Author, 'p');
      assert.deepEqual(await one.scalars(select(p.c.shout).where(p.c.id.eq(1))), ['a1!']);
    });

    it('gives outer joins their nulls', async () => {
      await fill();
      await Session.begin(async (s) => s.add(new Author({ name: 'alone' })));
      const one = session();
      const rows = await one.execute(
        select(Author, Note).outerJoin(Author.c.notes).where(Author.c.id.ge(3)).orderBy(Author.c.id, Note.c.id),
      );
      assert.deepEqual(
        rows.map((row) => [row.authors.name, row.notes?.body ?? null]),
        [
          ['a3', '3.0'],
          ['a3', '3.1'],
          ['a3', '3.2'],
          ['alone', null],
        ],
      );
    });

    it('refuses what would go wrong later', async () => {
      await fill();
      const one = session();
      const [author] = await authors(one);
      assert.ok(author);
      assert.throws(() => author.books.add(new Note({ body: 'x' } as never) as never), UsageError);
      assert.throws(() => author.books.add(null as never), UsageError);
      assert.throws(() => assign(author, { books: [] }), NotLoadedError);
      const notes = await author.notes;
      for (const method of ['push', 'pop', 'splice', 'sort'] as const) {
        assert.throws(() => (notes as unknown as Record<string, () => void>)[method]?.(), UsageError, method);
      }
      assert.equal([...notes].pop(), notes[0]);
      (notes as unknown as { add(note: unknown): void }).add(new Note({ body: 'added' } as never));
      await one.commit();
      assert.equal(notes.length, 2);
      await one.close();
      await assert.rejects(async () => author.books, DetachedEntityError);
    });
  });
}
