// Names say what a thing is. The banned ones say that nobody knew.
import type { Violation } from '../layers.ts';
import { layerOf } from '../layers.ts';
import type { Project, SourceFile } from '../project.ts';

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** As a whole name of a file or folder, or as its last word. */
const BANNED_FILES = /^(common|misc|shared|types|lib|base|core)$|(^|-)(utils?|helpers?|manager|impl)$/;
const BANNED_DECLARATIONS = /(Manager|Impl|Helpers?|Utils?)$|^Abstract[A-Z]|^I[A-Z][a-z]/;
/** Layers whose own name is on the list, because the field calls it so. */
const ALLOWED_FOLDERS = new Set(['types']);
const DIALECTS = /postgres|sqlite|mysql|mariadb|pglite|oracle|mssql|cockroach|yugabyte/i;

export function checkNames(project: Project): Violation[] {
  return [...project.values()].flatMap((file) => [...checkPath(file), ...checkDeclarations(file)]);
}

function checkPath({ path }: SourceFile): Violation[] {
  const parts = path.replace(/\.ts$/, '').split('/').slice(1);
  return parts.flatMap((part, index) => {
    const folder = index < parts.length - 1;
    const banned = BANNED_FILES.test(part) && !(folder && index === 0 && ALLOWED_FOLDERS.has(part));
    if (!banned && KEBAB.test(part)) return [];
    return [{ rule: 'names', path, message: `"${part}" is ${banned ? 'a name that says nothing' : 'not kebab-case'}` }];
  });
}

function checkDeclarations({ path, declarations }: SourceFile): Violation[] {
  return declarations
    .filter(({ what }) => BANNED_DECLARATIONS.test(what))
    .map(({ what, line }) => ({ rule: 'names', path, line, message: `"${what}" has a banned prefix or ending` }));
}

/** Nobody inside asks for a dialect by name: only `src/dialects` and the root entries know one. */
export function checkDialectNames(project: Project): Violation[] {
  return [...project.values()].flatMap(({ path, words }) => {
    const layer = layerOf(path);
    if (layer === undefined || layer === 'dialects' || layer.startsWith('dialects/')) return [];
    const inPath = DIALECTS.test(path) ? [{ what: path, line: 1 }] : [];
    return [...inPath, ...words.filter(({ what }) => DIALECTS.test(what))].map(({ what, line }) => ({
      rule: 'dialect names',
      path,
      line,
      message: `names a dialect: ${JSON.stringify(what.slice(0, 60))}`,
    }));
  });
}
