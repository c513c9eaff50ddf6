import ts from 'typescript';

const print = (node: ts.Node, file: ts.SourceFile): string => node.getFullText(file).replace(/^\n+/, '');
const parse = (text: string): ts.SourceFile => ts.createSourceFile('x.ts', text, ts.ScriptTarget.ES2022, true);
const nameOf = (member: ts.ClassElement): string =>
  ts.isConstructorDeclaration(member) ? 'constructor' : (member.name?.getText() ?? '');

/** `source` with what a reader of a code block would type: what is there by the same name is replaced, the rest is added. */
export function typeIn(source: string, block: string): string {
  return /^(import|interface|const|\/\*\*[^\n]*\*\/\n(interface|const|export))/.test(block)
    ? mergeStatements(source, block)
    : mergeMembers(source, block);
}

/** `source` without a member of its class. */
export function leaveOut(source: string, name: string): string {
  const { file, members } = membersOf(source);
  const gone = members.find((member) => nameOf(member) === name);
  return gone === undefined ? source : source.replace(print(gone, file), '');
}

function mergeStatements(source: string, block: string): string {
  const key = (statement: ts.Statement): string =>
    ts.isImportDeclaration(statement)
      ? `import ${statement.moduleSpecifier.getText()}`
      : ts.isVariableStatement(statement)
        ? statement.declarationList.declarations[0].name.getText()
        : ((statement as ts.DeclarationStatement).name?.getText() ?? '');
  const theirs = parse(block);
  let text = source;
  for (const statement of theirs.statements) {
    const file = parse(text);
    const old = file.statements.find((each) => key(each) === key(statement));
    const fresh = print(statement, theirs).trimEnd();
    const lastImport = file.statements.filter((each) => ts.isImportDeclaration(each)).at(-1)!;
    text =
      old === undefined
        ? `${text.slice(0, lastImport.end)}\n\n${fresh}${text.slice(lastImport.end)}`
        : text.slice(0, old.getFullStart()) + (old.getFullStart() === 0 ? '' : '\n\n') + fresh + text.slice(old.end);
  }
  return text;
}

function mergeMembers(source: string, block: string): string {
  const theirs = parse(`class X {\n${block}}`);
  const added = (theirs.statements[0] as ts.ClassDeclaration).members;
  let text = source;
  for (const member of added) {
    const { file, members, design } = membersOf(text);
    const old = members.find((each) => nameOf(each) === nameOf(member));
    const fresh = print(member, theirs).trimEnd();
    // Fields go first, as the constructor comes after them.
    const at = ts.isPropertyDeclaration(member) ? design.members.pos : (members.at(-1)?.end ?? design.members.pos);
    text =
      old === undefined
        ? `${text.slice(0, at)}\n${fresh}\n${text.slice(at)}`
        : text.slice(0, old.getStart(file, true)) + fresh.trimStart() + text.slice(old.end);
  }
  return text;
}

function membersOf(source: string): { file: ts.SourceFile; design: ts.ClassDeclaration; members: readonly ts.ClassElement[] } {
  const file = parse(source);
  const design = file.statements.find((statement) => ts.isClassDeclaration(statement))!;
  return { file, design, members: design.members };
}
