import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UsageError } from '../../../../src/errors/index.ts';
import { BudgetFolder } from '../../../../src/process/meeting/budget-folder.ts';
import { privateFolder } from '../../../../src/process/meeting/private-folder.ts';
import { ownMark, processState } from '../../../../src/process/meeting/process-mark.ts';
import { fitsSocket, newSocketAddress } from '../../../../src/process/meeting/socket-address.ts';

let base: string;
before(() => {
  base = mkdtempSync(join(tmpdir(), 'athanor-test-'));
});
after(() => rmSync(base, { recursive: true, force: true }));

test('whoever opens the folder finds the same secret and name', () => {
  const [one, two] = [new BudgetFolder(join(base, 'same')), new BudgetFolder(join(base, 'same'))];
  assert.equal(one.token, two.token);
  assert.equal(one.tag, two.tag);
  assert.match(one.token, /^[0-9a-f]{64}$/);
  assert.notEqual(new BudgetFolder(join(base, 'other')).tag, one.tag);
  assert.deepEqual(readdirSync(join(base, 'same')), ['budget.json']);
});

test('[B28] a folder that is not this user’s alone is refused, and named', () => {
  const open = join(base, 'open');
  mkdirSync(open);
  chmodSync(open, 0o770);
  assert.throws(
    () => privateFolder(open),
    (error) => error instanceof UsageError && /mode 770/.test(error.message),
  );
  symlinkSync(privateFolder(join(base, 'target')), join(base, 'link'));
  assert.throws(() => privateFolder(join(base, 'link')), /is not a folder/);
  writeFileSync(join(base, 'file'), '');
  assert.throws(() => privateFolder(join(base, 'file')), /is not a folder/);
  assert.throws(() => privateFolder(join(base, 'missing', 'deep')), /cannot be made/);
  const old = process.umask(0o777);
  try {
    assert.equal(statSync(privateFolder(join(base, 'mask'))).mode & 0o777, 0o700);
  } finally {
    process.umask(old);
  }
});

test('of many who claim to be the next broker one is', () => {
  const folder = new BudgetFolder(join(base, 'claims'));
  assert.equal(folder.broker(), undefined);
  const first = folder.claim('/one', 0) ?? 0;
  assert.ok(first > 1_700_000_000);
  assert.deepEqual(folder.broker(), { epoch: first, address: '/one', mark: ownMark() });
  // Two that saw the first one gone, in the same second and a later one.
  assert.equal(folder.claim('/two', first), first + 1);
  assert.equal(folder.claim('/three', first), undefined);
  // One that looked long ago, when all files of that time are swept away.
  folder.sweep(first + 1);
  assert.equal(folder.claim('/late', first - 1), undefined);
  assert.equal(folder.broker()?.address, '/two');
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.startsWith('epoch')),
    [`epoch-${first + 1}`],
  );
});

test('an intent to serve is one at a time, and ends with its process or its time', () => {
  const folder = new BudgetFolder(join(base, 'intent'));
  assert.equal(folder.intend(), true);
  assert.equal(folder.intend(), false);
  const old = new Date(Date.now() - 10_000);
  utimesSync(join(folder.path, 'taking'), old, old);
  assert.equal(folder.intend(), true);
  folder.giveUp();
  writeFileSync(join(folder.path, 'taking'), '4194305:1:x:y');
  assert.equal(folder.intend(), true);
});

test('members enter, are found, and are forgotten', () => {
  const folder = new BudgetFolder(join(base, 'members'));
  const member = folder.enter(3);
  assert.match(member.name, new RegExp(`^${process.pid}\\.3\\.[0-9a-f]{8}$`));
  assert.deepEqual(folder.members(), [member]);
  assert.equal(folder.hasMember(ownMark(), 3), true);
  assert.equal(folder.hasMember(ownMark(), 0), false);
  folder.forget(member.name);
  assert.equal(folder.member(member.name), undefined);
  folder.touch();
});

test('a process is told from another of the same number, and from one that ended', () => {
  assert.equal(processState(ownMark()), 'alive');
  const [pid, start, boot, namespace] = ownMark().split(':');
  if (process.platform === 'linux') {
    assert.equal(processState([pid, `${start}1`, boot, namespace].join(':')), 'dead');
    assert.equal(processState([pid, start, boot, '1'].join(':')), 'unknown');
  }
  assert.equal(processState([pid, start, 'otherboot', namespace].join(':')), 'dead');
  assert.equal(processState(['4194305', '1', boot, namespace].join(':')), 'dead');
  assert.equal(processState('nonsense'), 'dead');
});

test('a socket’s path is never longer than the system takes: the folder, the temporary one, then no path at all', () => {
  const near = privateFolder(join(base, 'near'));
  assert.ok(newSocketAddress(near).startsWith(near));
  assert.ok(fitsSocket('x'.repeat(103)));
  assert.ok(!fitsSocket('ü'.repeat(54)));
  const far = join(base, 'x'.repeat(120));
  mkdirSync(far);
  assert.ok(newSocketAddress(far, base).startsWith(join(base, 'athanor-')));
  if (process.platform === 'linux') assert.match(newSocketAddress(far, '/nowhere'), /^\0athanor-/);
});
