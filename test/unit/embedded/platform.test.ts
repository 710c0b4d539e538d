import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EmbeddedError } from '../../../packages/embedded/src/embedded-error.ts';
import { type Machine, platformName, thisMachine } from '../../../packages/embedded/src/platform.ts';

describe('the platform of the binaries', () => {
  it('has a name on every machine that has a binary', () => {
    const name = (platform: string, arch: string): string => platformName({ platform, arch, glibc: true });
    assert.equal(name('linux', 'x64'), 'linux-x64');
    assert.equal(name('linux', 'arm64'), 'linux-arm64');
    assert.equal(name('darwin', 'arm64'), 'darwin-arm64');
    assert.equal(name('win32', 'x64'), 'windows-x64');
    assert.equal(thisMachine().platform, process.platform);
  });

  for (const machine of [
    { platform: 'linux', arch: 'x64', glibc: false },
    { platform: 'freebsd', arch: 'x64', glibc: false },
    { platform: 'linux', arch: 'riscv64', glibc: true },
  ] satisfies Machine[]) {
    it(`says in one line what to do on ${machine.platform} ${machine.arch} without a binary`, () => {
      assert.throws(
        () => platformName(machine),
        (error) => {
          assert.ok(error instanceof EmbeddedError);
          assert.equal(error.code, 'ATH_EMBEDDED_PLATFORM');
          assert.match(error.message, /DATABASE_URL.*sqlite/);
          return !error.message.includes('\n');
        },
      );
    });
  }
});
