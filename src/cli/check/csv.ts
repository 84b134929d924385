/** Results as CSV: a heading of column names and a line a program, as veristat reads and writes them. Cells with commas are quoted (RFC 4180). */
import { readFileSync } from 'node:fs';
import { columnOf, type Column, type Row } from './columns.js';

export function csv(lines: readonly (readonly (string | number)[])[]): string {
  return lines.map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Throws an Error that names the line where the file is not one of results. */
export function readCsv(file: string): Table {
  const [heading, ...lines] = parse(readFileSync(file, 'utf8'));
  if (heading === undefined) throw new Error(`${file}: is empty`);
  const columns = heading.map((name) => {
    const column = columnOf(name);
    if (column === null) throw new Error(`${file}:1: no column is called ${name}`);
    return column;
  });
  const rows = lines.map((cells, i) => {
    if (cells.length !== columns.length) {
      throw new Error(`${file}:${i + 2}: ${cells.length} cells below ${columns.length} headings`);
    }
    return Object.fromEntries(
      columns.map((column, k) => [column.names[0], read(column, cells[k]!, `${file}:${i + 2}`)]),
    );
  });
  return { columns, rows };
}

function read({ kind, names }: Column, text: string, place: string): string | number {
  if (kind !== 'number') return text;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error(`${place}: ${names[0]} is no number: ${text}`);
  return value;
}

/** Lines of cells; empty lines are none. */
function parse(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    const last = end !== ',';
    const value = quoted?.replaceAll('""', '"') ?? plain ?? '';
    if (!(last && line.length === 0 && value === '')) line.push(value);
    if (last && line.length > 0) {
      lines.push(line);
      line = [];
    }
  }
  return lines;
}
