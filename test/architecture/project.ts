// What the rules look at: files by path, parsed once with the classic compiler interface of TypeScript 6 (version 7 has
// none). Rules never read the disk, so a planted violation is a map with one wrong file in it.
import ts from 'typescript-6.0';

/** An import, re-export, dynamic import or import type. */
export interface ImportFact {
  /** `undefined` where it is computed. */
  readonly specifier: string | undefined;
  readonly line: number;
}

export interface FunctionFact {
  readonly name: string;
  readonly line: number;
  readonly codeLines: number;
  readonly parameters: number;
}

export interface ClassFact {
  readonly name: string;
  readonly line: number;
  readonly publicMembers: number;
}

/** A place in a file and what stands there. */
export interface Finding {
  readonly what: string;
  readonly line: number;
}

export interface SourceFile {
  /** From the root of the repository, with slashes: `src/pool/pool.ts`. */
  readonly path: string;
  readonly codeLines: number;
  readonly imports: readonly ImportFact[];
  readonly functions: readonly FunctionFact[];
  readonly classes: readonly ClassFact[];
  /** Names of classes, interfaces, types and functions declared. */
  readonly declarations: readonly Finding[];
  /** Identifiers and text in code; comments are not among them. */
  readonly words: readonly Finding[];
  /** Constructs that are refused wherever they stand. */
  readonly refused: readonly Finding[];
}

export type Project = ReadonlyMap<string, SourceFile>;

/** Parses files by path. */
export function parseProject(files: ReadonlyMap<string, string>): Project {
  return new Map([...files].map(([path, text]) => [path, parseFile(path, text)]));
}

interface Draft {
  readonly source: ts.SourceFile;
  readonly lines: Set<number>;
  readonly imports: ImportFact[];
  readonly functions: FunctionFact[];
  readonly classes: ClassFact[];
  readonly declarations: Finding[];
  readonly words: Finding[];
  readonly refused: Finding[];
}

function parseFile(path: string, text: string): SourceFile {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const draft: Draft = {
    source,
    lines: codeLines(source, source),
    imports: [],
    functions: [],
    classes: [],
    declarations: [],
    words: [],
    refused: [],
  };
  const visit = (node: ts.Node): void => {
    readNode(node, draft);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const { lines, source: _, ...facts } = draft;
  return { path, codeLines: lines.size, ...facts };
}

function readNode(node: ts.Node, draft: Draft): void {
  readImport(node, draft);
  readSize(node, draft);
  readName(node, draft);
  const what = refusal(node);
  if (what !== undefined) draft.refused.push({ what, line: lineOf(node, draft) });
}

function readImport(node: ts.Node, draft: Draft): void {
  const specifier = specifierOf(node);
  if (specifier === undefined) return;
  const text = ts.isStringLiteralLike(specifier) ? specifier.text : undefined;
  draft.imports.push({ specifier: text, line: lineOf(node, draft) });
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  return undefined;
}

function readSize(node: ts.Node, draft: Draft): void {
  if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
    draft.functions.push({
      name: nameOf(node),
      line: lineOf(node, draft),
      codeLines: codeLines(node, draft.source).size,
      parameters: node.parameters.filter((parameter) => parameter.name.getText(draft.source) !== 'this').length,
    });
  }
  if (ts.isClassLike(node)) {
    const names = new Set(node.members.filter(isPublic).map((member) => member.name?.getText(draft.source)));
    draft.classes.push({ name: nameOf(node), line: lineOf(node, draft), publicMembers: names.size });
  }
}

function isPublic(member: ts.ClassElement): boolean {
  if (member.name === undefined || ts.isPrivateIdentifier(member.name)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (ts.getCombinedModifierFlags(member as ts.Declaration) & hidden) === 0;
}

function readName(node: ts.Node, draft: Draft): void {
  const line = lineOf(node, draft);
  if (
    (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) &&
    node.name !== undefined
  ) {
    draft.declarations.push({ what: node.name.text, line });
  }
  // What an import names is a path, and the layers rule's matter.
  if (node.parent !== undefined && specifierOf(node.parent) === node) return;
  if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isStringLiteralLike(node) || isTemplatePart(node)) {
    draft.words.push({ what: node.text, line });
  }
}

function isTemplatePart(node: ts.Node): node is ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail {
  return ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
}

const BARE_ERRORS = new Set(['Error', 'TypeError', 'RangeError', 'EvalError', 'SyntaxError', 'ReferenceError']);

function refusal(node: ts.Node): string | undefined {
  if (ts.isExportAssignment(node)) return 'default export';
  if (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some((one) => one.kind === ts.SyntaxKind.DefaultKeyword)) {
    return 'default export';
  }
  if (ts.isExportSpecifier(node) && node.name.text === 'default') return 'default export';
  if (ts.isExportDeclaration(node) && node.exportClause === undefined) return 'export *';
  if (ts.isThrowStatement(node) && isBareError(node.expression)) return 'bare throw';
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'console') {
    return 'console';
  }
  if ((ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) && atTop(node)) {
    return 'top-level await';
  }
  if (ts.isEnumDeclaration(node)) return 'enum';
  if (ts.isModuleDeclaration(node) && ts.isIdentifier(node.name) && node.name.text !== 'global') return 'namespace';
  return ts.isDecorator(node) ? 'decorator' : undefined;
}

function isBareError(node: ts.Expression): boolean {
  const made = ts.isNewExpression(node) || ts.isCallExpression(node) ? node.expression : undefined;
  return made !== undefined && ts.isIdentifier(made) && BARE_ERRORS.has(made.text);
}

function atTop(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isFunctionLike(at) || ts.isClassStaticBlockDeclaration(at)) return false;
  }
  return true;
}

/** A function without a name is called by what it is given to. */
function nameOf(node: ts.SignatureDeclaration | ts.ClassLikeDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const { parent } = node;
  if ((ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) && parent.name !== undefined) {
    return parent.name.getText();
  }
  return '(anonymous)';
}

function lineOf(node: ts.Node, draft: Draft): number {
  return draft.source.getLineAndCharacterOfPosition(node.getStart(draft.source)).line + 1;
}

/** The lines of a node on which a token stands: neither blank nor comment alone. */
function codeLines(node: ts.Node, source: ts.SourceFile): Set<number> {
  const lines = new Set<number>();
  const visit = (token: ts.Node): void => {
    if (token.kind >= ts.SyntaxKind.FirstJSDocNode && token.kind <= ts.SyntaxKind.LastJSDocNode) return;
    const children = token.getChildren(source);
    if (children.length > 0) {
      for (const child of children) visit(child);
      return;
    }
    if (token.getWidth(source) === 0) return;
    const first = source.getLineAndCharacterOfPosition(token.getStart(source)).line;
    const last = source.getLineAndCharacterOfPosition(token.getEnd()).line;
    for (let line = first; line <= last; line++) lines.add(line);
  };
  visit(node);
  return lines;
}
