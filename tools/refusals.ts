/** docs/refusals.md: the catalogue in src/compiler/verify/refusals as a page, read from its source. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { CLASSES } from '../src/compiler/verify/refusals/classes.js';

const FOLDER = fileURLToPath(new URL('../src/compiler/verify/refusals', import.meta.url));

interface Row {
  readonly id: string;
  readonly class: string;
  readonly errno: string;
  readonly means: string;
  readonly sentence: string;
  readonly silent: boolean;
}

/** A part of a sentence: words as they are, `{operand}` for what is filled in, `[one|other]` for a choice. */
function words(node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isParenthesizedExpression(node)) return words(node.expression);
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map((span) => words(span.expression) + span.literal.text).join('');
  }
  if (ts.isConditionalExpression(node)) return `[${words(node.whenTrue)}|${words(node.whenFalse)}]`;
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken && hasText(node)) {
    return words(node.left) + words(node.right);
  }
  if (ts.isArrowFunction(node)) return ts.isBlock(node.body) ? blockWords(node.body) : words(node.body);
  const names = new Set<string>();
  collectOperands(node, names);
  return `{${[...names].join(' ')}}`;
}

function hasText(node: ts.BinaryExpression): boolean {
  return [node.left, node.right].some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side));
}

/** What a function with local constants returns, the constants written out. */
function blockWords(block: ts.Block): string {
  const locals = new Map<string, string>();
  let text = '';
  for (const statement of block.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (initializer !== undefined) locals.set(name.getText(), words(initializer));
      }
    } else if (ts.isReturnStatement(statement) && statement.expression !== undefined) {
      text = words(statement.expression);
    }
  }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => locals.get(name) ?? whole);
}

/** Operands that an expression reads: not the functions it calls, nor the members it looks at. */
function collectOperands(node: ts.Node, names: Set<string>): void {
  if (ts.isIdentifier(node)) names.add(node.text);
  else if (ts.isPropertyAccessExpression(node)) collectOperands(node.expression, names);
  else if (ts.isCallExpression(node)) {
    if (ts.isPropertyAccessExpression(node.expression)) collectOperands(node.expression, names);
    node.arguments.forEach((argument) => collectOperands(argument, names));
  } else ts.forEachChild(node, (child) => collectOperands(child, names));
}

function rowOf(entry: ts.PropertyAssignment): Row {
  const row: Record<string, string> = {};
  if (!ts.isObjectLiteralExpression(entry.initializer)) throw new Error(`${entry.getText()} is no entry`);
  for (const member of entry.initializer.properties) {
    if (!ts.isPropertyAssignment(member)) continue;
    const value = member.initializer;
    row[member.name.getText()] = ts.isIdentifier(value) ? value.text : words(value);
  }
  const { class: name = '', errno = '', means = '', sentence = '' } = row;
  return { id: entry.name.getText(), class: name, errno, means, sentence, silent: 'silent' in row };
}

function rowsOf(source: ts.SourceFile): Row[] {
  const rows: Row[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'catalogue') {
      const [entries] = node.arguments;
      if (entries === undefined || !ts.isObjectLiteralExpression(entries)) return;
      for (const entry of entries.properties) if (ts.isPropertyAssignment(entry)) rows.push(rowOf(entry));
    } else ts.forEachChild(node, visit);
  };
  visit(source);
  return rows;
}

function cell(text: string): string {
  return text.replace(/\n/g, ' ').replace(/\|/g, '\\|').trim();
}

function section(file: string): string {
  const text = readFileSync(`${FOLDER}/${file}`, 'utf8');
  const rows = rowsOf(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  if (rows.length === 0) return '';
  const title = /^\/\*\* (.*?)\.? \*\//.exec(text)?.[1] ?? file;
  const lines = rows.map((row) => {
    const sentence = row.silent ? '' : `\`${cell(row.sentence)}\``;
    return `| ${row.id} | ${row.class} | ${row.errno} | ${sentence} | ${cell(row.means)} |`;
  });
  return `\n## ${title}\n\n| id | class | errno | sentence | |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** Markdown. */
export function refusalsDocument(): string {
  const classes = Object.entries(CLASSES).map(([name, means]) => `| ${name} | ${means} |`);
  const sections = readdirSync(FOLDER).sort().map(section);
  return `# Refusals

Every way in which the verifier can refuse a program. The class is what an answer carries as \`failure.code\`; the sentence is the
kernel's, with \`{operand}\` for what is filled in and \`[one|other]\` for a choice. Where there is no sentence the kernel refuses without
a word; where there is no errno it depends on more than the refusal. Generated from \`src/compiler/verify/refusals\` by
\`npm run generate\`.

| class | |
|---|---|
${classes.join('\n')}
${sections.join('')}`;
}
