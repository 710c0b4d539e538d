// The three compilers that users have, each as one process for one set of files. They see what users see: the built
// declarations in `dist`, through the package's own name.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type ts from 'typescript-5.9';

export const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');

export interface Compiler {
  readonly name: string;
  /** The folder below `node_modules`. */
  readonly package: string;
  readonly options: readonly string[];
  /** Whether it can be loaded as a module, which spares a process for each program. */
  readonly loadable: boolean;
}

export const COMPILERS: readonly Compiler[] = [
  { name: 'TypeScript 5.9', package: 'typescript-5.9', options: [], loadable: true },
  { name: 'TypeScript 6.0', package: 'typescript-6.0', options: [], loadable: true },
  // Its checkers run side by side and would each instantiate the same types.
  { name: 'TypeScript 7.0', package: 'typescript', options: ['--singleThreaded'], loadable: false },
];

/** What a user with every strict flag has. */
const USER_OPTIONS = {
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules', '@types')],
  paths: { athanor: [join(ROOT, 'dist', 'index.d.ts')] },
};

/** A folder of files to compile, made anew below `.cache/types`, with the files by path in it. */
export function writeFolder(name: string, files: ReadonlyMap<string, string>): string {
  const folder = join(ROOT, '.cache', 'types', name);
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

export interface Compilation {
  readonly errors: readonly string[];
  readonly instantiations: number;
}

/** What to compile of a folder, and how; all files unless given. */
export interface CompileRequest {
  readonly files?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
}

let projects = 0;

/** Compiles and gives what was found wrong and how many types were instantiated. */
export async function compile(compiler: Compiler, folder: string, request: CompileRequest = {}): Promise<Compilation> {
  const project = join(folder, `tsconfig.${projects++}.json`);
  const include = request.files === undefined ? { include: ['**/*.ts'] } : { files: request.files };
  writeFileSync(project, JSON.stringify({ compilerOptions: { ...USER_OPTIONS, ...request.options }, ...include }));
  const program = join(ROOT, 'node_modules', compiler.package, 'bin', 'tsc');
  const output = await run([program, '-p', project, '--pretty', 'false', '--extendedDiagnostics', ...compiler.options]);
  const instantiations = /^Instantiations:\s+(\d+)/m.exec(output)?.[1];
  const errors = output.split('\n').filter((line) => /error TS\d+/.test(line));
  // A compiler that ended without its figures did not compile.
  return {
    errors: instantiations === undefined && errors.length === 0 ? [output] : errors,
    instantiations: Number(instantiations),
  };
}

/** Compiles each file as the only root and gives what was found wrong, by root; nothing where nothing was. */
export async function compileEach(
  compiler: Compiler,
  folder: string,
  roots: readonly string[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const compileRoot = compiler.loadable ? loaded(compiler, folder) : undefined;
  const wrong: Record<string, readonly string[]> = {};
  for (const root of roots) {
    const errors = compileRoot?.(root) ?? (await compile(compiler, folder, { files: [root] })).errors;
    if (errors.length > 0) wrong[root] = errors.slice(0, 5);
  }
  return wrong;
}

/** The compiler in this process. Programs share what was parsed; each has a checker of its own. */
function loaded(compiler: Compiler, folder: string): (root: string) => string[] {
  const compilerModule = createRequire(import.meta.url)(compiler.package) as typeof ts;
  const { parseJsonConfigFileContent, createCompilerHost, createProgram, getPreEmitDiagnostics, sys } = compilerModule;
  const configuration = parseJsonConfigFileContent({ compilerOptions: USER_OPTIONS, include: ['**/*'] }, sys, folder);
  const host = createCompilerHost(configuration.options);
  const parsed = new Map<string, ts.SourceFile | undefined>();
  const parse = host.getSourceFile.bind(host);
  host.getSourceFile = (file, ...rest) => {
    if (!parsed.has(file)) parsed.set(file, parse(file, ...rest));
    return parsed.get(file);
  };
  return (root) => {
    const program = createProgram([join(folder, root)], configuration.options, host);
    const found = [...configuration.errors, ...getPreEmitDiagnostics(program)];
    return found.map((one) => compilerModule.formatDiagnostic(one, host).trim());
  };
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}
