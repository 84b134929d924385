/** A table for terminals: text on the left, numbers on the right, a line below the headings. */

/** `lines`: cells below their headings. Numbers are told by their type. */
export function textTable(headings: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  const widths = headings.map((heading, i) => {
    return lines.reduce((width, cells) => Math.max(width, String(cells[i] ?? '').length), heading.length);
  });
  const numeric = headings.map((_, i) => lines.length > 0 && lines.every((cells) => typeof cells[i] === 'number'));
  const line = (cells: readonly (string | number)[]): string => {
    const padded = cells.map((cell, i) => pad(String(cell), widths[i]!, numeric[i]!));
    return padded.join('  ').trimEnd();
  };
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return `${[line(headings), rule, ...lines.map(line)].join('\n')}\n`;
}

const pad = (text: string, width: number, right: boolean): string =>
  right ? text.padStart(width) : text.padEnd(width);
