import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from '../../../src/errors/index.ts';
import { encodeFrame, FrameReader, MAX_FRAME } from '../../../src/process/frame.ts';
import { brokerMessage, clientMessage, errorForFrame } from '../../../src/process/messages.ts';

test('messages come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string(), fc.string())),
      fc.integer({ min: 1, max: 40 }),
      (messages, size) => {
        const bytes = Buffer.concat(messages.map(encodeFrame));
        const reader = new FrameReader();
        const read: unknown[] = [];
        for (let at = 0; at < bytes.length; at += size) read.push(...reader.read(bytes.subarray(at, at + size)));
        assert.deepEqual(JSON.stringify(read), JSON.stringify(messages));
      },
    ),
  );
});

test('[B28] a frame too long is refused before its body comes, and an empty or garbled one', () => {
  const long = Buffer.alloc(4);
  long.writeUInt32BE(MAX_FRAME + 1);
  for (const bytes of [
    long,
    Buffer.alloc(4),
    Buffer.from([255, 255, 255, 255]),
    Buffer.from([0, 0, 0, 3, 110, 111, 33]),
  ]) {
    assert.throws(() => [...new FrameReader().read(bytes)], ProtocolError);
  }
  assert.throws(() => encodeFrame({ text: 'x'.repeat(MAX_FRAME) }), ProtocolError);
});

test('[B28] random bytes never do more than be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        for (const value of new FrameReader().read(bytes)) clientMessage(value);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
  );
});

const good = [
  { type: 'hello', token: 't', member: '7.0.ab', pid: 7, thread: 0, epoch: 0, application: 'app', limit: null },
  { type: 'have', permits: [{ id: '1-1' }, { id: 'zz-9', pid: 4, start: 'then' }], last: true },
  { type: 'want', request: 1, wait: 5000 },
  { type: 'cancel', request: 1 },
  { type: 'opened', id: '1-1', pid: 44, start: 'then' },
  { type: 'closed', id: '1-1', clean: false },
  { type: 'full' },
  { type: 'beat' },
];

test('every message of a process passes its own check', () => {
  for (const message of good) assert.deepEqual(clientMessage(message), message);
});

test('[B28] a message with a field missing, changed or added is refused', () => {
  for (const message of good as Record<string, unknown>[]) {
    assert.throws(() => clientMessage({ ...message, more: 1 }), ProtocolError);
    for (const key of Object.keys(message)) {
      const { [key]: _left, ...rest } = message;
      // A start is optional: not every driver asks for it.
      if (key !== 'start')
        assert.throws(() => clientMessage(rest), ProtocolError, `${String(message['type'])} without ${key}`);
      for (const value of [{}, [1], -1, 1.5, 'ÿ'.repeat(300), Number.NaN]) {
        assert.throws(
          () => clientMessage({ ...message, [key]: value }),
          ProtocolError,
          `${String(message['type'])}.${key}`,
        );
      }
    }
  }
  for (const value of [null, 3, 'hello', [], {}, { type: 'constructor' }, { type: '__proto__' }, { type: ['beat'] }]) {
    assert.throws(() => clientMessage(value), ProtocolError);
    assert.throws(() => brokerMessage(value), ProtocolError);
  }
  assert.throws(() => clientMessage(JSON.parse('{"type":"beat","__proto__":{"a":1}}')), ProtocolError);
});

test('every message of a broker passes its own check', () => {
  const facts = { waited: 1, held: 0, used: 3, budget: null, quarantined: 0, waiting: 1, reason: null };
  const holders = [{ pid: 4, thread: 0, application: 'a', permits: 2, age: 17 }];
  const messages = [
    { type: 'welcome', epoch: 4, budget: null, tag: '0123456789', pid: 9 },
    { type: 'grant', request: 1, id: 'a-1', epoch: 4 },
    { type: 'refuse', request: 1, facts: { ...facts, holders }, error: null },
    { type: 'recall', count: 2 },
    { type: 'budget', budget: 20, text: 'auto' },
    { type: 'denied', reason: 'no' },
  ];
  for (const message of messages) {
    assert.deepEqual(brokerMessage(message), message);
    assert.throws(() => brokerMessage({ ...message, more: 1 }), ProtocolError);
  }
  assert.throws(() => brokerMessage({ type: 'refuse', request: 1, facts, error: null }), ProtocolError);
});

test('an error of any size fits a frame', () => {
  const error = new RangeError('\u0001"ÿ'.repeat(5000), { cause: new RangeError('x'.repeat(9000)) });
  Object.assign(error, { list: Array.from({ length: 100 }, () => 'y'.repeat(200)) });
  assert.ok(Buffer.byteLength(JSON.stringify(errorForFrame(error))) < MAX_FRAME / 1.5);
});
