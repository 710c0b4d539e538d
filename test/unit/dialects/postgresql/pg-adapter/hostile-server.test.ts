// A server that is none, behind node-postgres: its connection ends with ProtocolError, and the process goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPgDriver } from '../../../../../src/dialects/postgresql/pg-adapter/index.ts';
import { ProtocolError } from '../../../../../src/errors/index.ts';
import { begun, int16, message, row, scriptedServer } from '../driver/scripted-server.ts';

function header(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 0, 'latin1');
  bytes.writeInt32BE(length, 1);
  return bytes;
}

const DAMAGED: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a length of 0', header('D', 0)],
  ['a length of 3', header('1', 3)],
  ['a negative length', header('D', -5)],
  ['a length of 2 GiB', header('D', 2 ** 31 - 1)],
  ['an unknown type', message('!', 'x')],
  ['a row before its description', Buffer.concat([message('1'), row('1')])],
  ['a row of too few fields', Buffer.concat([begun(23, 23), row('1')])],
  ['a row of 65535 fields', Buffer.concat([begun(23), message('D', int16(65535))])],
  ['a transaction status that is none', Buffer.concat([begun(23), message('C', 'SELECT 0\0'), message('Z', '?')])],
];

for (const [what, bytes] of DAMAGED) {
  test(`${what} ends the connection and nothing else`, async () => {
    await using server = await scriptedServer(async (peer) => {
      await peer.login();
      for (;;) {
        await peer.sync();
        peer.send(bytes);
      }
    });
    const driver = createPgDriver({ host: '127.0.0.1', user: 'u', sslMode: 'disable', port: server.port });
    const connection = await driver.connect();
    const lost = new Promise<Error>((resolve) => {
      connection.onLost = resolve;
    });
    const text = { sql: 'select 1', params: [], results: undefined, prepare: false };
    await assert.rejects(connection.submit([{ text, params: [] }], { row: () => {} }), ProtocolError);
    assert.ok((await lost) instanceof ProtocolError);
    assert.equal(connection.status, 'closed');
  });
}

test('a server that ends SCRAM before it proved itself is refused', async () => {
  await using server = await scriptedServer(async (peer) => {
    await peer.next();
    const mechanisms = Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.from('SCRAM-SHA-256\0\0')]);
    peer.send(message('R', mechanisms));
    await peer.next();
    peer.send(message('R', Buffer.from([0, 0, 0, 0])));
  });
  const options = { host: '127.0.0.1', user: 'u', password: 'secret', sslMode: 'disable', port: server.port } as const;
  await assert.rejects(createPgDriver(options).connect(), { code: 'ATH_AUTHENTICATION' });
});
