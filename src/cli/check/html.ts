/** The matrix as one HTML page without scripts or anything from elsewhere, to be kept as a build's artifact. */
import { escape } from './junit.js';
import { cellText, type Matrix } from './matrix.js';
import { reasons, type Reason } from './reasons.js';
import { failed, type Verdict } from './verdict.js';

const STYLE = `
  :root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
  body { margin: 2rem; } table { border-collapse: collapse; } caption { text-align: left; padding: .5rem 0; }
  th, td { padding: .3rem .8rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); text-align: left; }
  td.good { background: color-mix(in srgb, #1a7f37 18%, transparent); }
  td.bad { background: color-mix(in srgb, #cf222e 22%, transparent); }
  td.known { background: color-mix(in srgb, #9a6700 18%, transparent); }
  code { font-family: ui-monospace, monospace; }`;

export function html({ kernels, lines }: Matrix): string {
  const wrong = lines.flatMap(({ cells }) => cells.filter((cell) => cell !== null && failed(cell)));
  const summary = wrong.length === 0 ? 'Everything loads' : `${wrong.length} of ${lines.length * kernels.length} fail`;
  const rows = lines.map(({ file, program, cells }) => {
    const name = `<th scope="row"><code>${escape(`${file} ${program}`.trim())}</code></th>`;
    return `      <tr>${name}${cells.map(cell).join('')}</tr>\n`;
  });
  const why = reasons(lines.flatMap(({ cells }) => cells.filter((one) => one !== null))).map(item);
  return `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>BPF: ${summary}</title><style>${STYLE}</style></head>
  <body>
    <table>
      <caption>${summary}. Numbers are instructions that the verifier processed.</caption>
      <thead><tr><th scope="col">program</th>${kernels.map((kernel) => `<th scope="col">${escape(kernel)}</th>`).join('')}</tr></thead>
      <tbody>
${rows.join('')}      </tbody>
    </table>
${why.length === 0 ? '' : `    <h2>Why</h2>\n    <ul>\n${why.join('')}    </ul>\n`}  </body>
</html>
`;
}

function cell(verdict: Verdict | null): string {
  if (verdict === null) return '<td>–</td>';
  const kind = failed(verdict) ? 'bad' : verdict.accepted ? 'good' : 'known';
  return `<td class="${kind}">${escape(cellText(verdict))}</td>`;
}

function item({ file, program, kernels, text }: Reason): string {
  const name = escape(`${file} ${program}`.trim());
  return `      <li><code>${name}</code> on ${escape(kernels.join(', '))}: ${escape(text)}</li>\n`;
}
