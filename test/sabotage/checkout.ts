// A copy of the checkout to do damage in. What is installed or built is shared, not copied.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const ROOT: string = path.resolve(import.meta.dirname, '../..');
const COPIED = [
  'src',
  'test',
  'packages',
  'scripts',
  'examples',
  'docs',
  'package.json',
  'tsconfig.json',
  'layers.json',
];
const SHARED = ['node_modules', '.cache', 'dist', 'tools'];

/** One small change to one file. */
export interface Change {
  readonly file: string;
  readonly text: string;
  readonly becomes: string;
}

/** Whether the text is there, exactly once. */
export function fits({ file, text }: Change): boolean {
  return (
    text !== '' &&
    existsSync(path.join(ROOT, file)) &&
    readFileSync(path.join(ROOT, file), 'utf8').split(text).length === 2
  );
}

export class Checkout {
  readonly root: string = mkdtempSync(path.join(tmpdir(), 'athanor-damaged-'));

  constructor() {
    const filter = (from: string): boolean => !from.includes('node_modules') && path.basename(from) !== 'dist';
    for (const part of COPIED) cpSync(path.join(ROOT, part), path.join(this.root, part), { recursive: true, filter });
    for (const part of SHARED)
      if (existsSync(path.join(ROOT, part))) symlinkSync(path.join(ROOT, part), path.join(this.root, part));
  }

  /** Makes the change; call what comes back to undo it. */
  damage({ file, text, becomes }: Change): () => void {
    const place = path.join(this.root, file);
    const source = readFileSync(place, 'utf8');
    writeFileSync(
      place,
      source.replace(text, () => becomes),
    );
    return () => writeFileSync(place, source);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
