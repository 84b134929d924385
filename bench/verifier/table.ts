import { rate, type Measured, type VerificationTime } from './measured.js';

/** A program's figures, ours and the host kernel's; null where that is not asked. */
export interface Row {
  readonly program: string;
  readonly ours: Measured<VerificationTime>;
  readonly host: Measured<VerificationTime> | null;
}

/** How many times as long as the host's kernel we take: for the program, and for an instruction. */
export interface Ratios {
  readonly time: number;
  readonly instruction: number;
}

export function ratiosOf({ ours, host }: Row): Ratios | null {
  if (!ours.ok || host?.ok !== true) return null;
  return {
    time: ours.value.milliseconds / host.value.milliseconds,
    instruction: rate(host.value) / rate(ours.value),
  };
}

const NAME_WIDTH = 64;
const FIGURES = ['insns', 'ms', 'k/s'];
/** Of a figure. */
const WIDTH = 9;

/** Two lines. */
export function headerText(withHost: boolean): string {
  const groups = withHost ? ['here', "host's kernel", 'here / host'] : ['here'];
  const titles = withHost ? [FIGURES, FIGURES, ['time', 'per insn']] : [FIGURES];
  const above = groups.map((group, i) => group.padStart(titles[i]!.length * WIDTH)).join(' |');
  return `${''.padEnd(NAME_WIDTH)}${above}\n${'program'.padEnd(NAME_WIDTH)}${titles.map(columns).join(' |')}`;
}

export function rowText(row: Row): string {
  const { program, ours, host } = row;
  const ratios = ratiosOf(row);
  const cells = [program.padEnd(NAME_WIDTH) + figures(ours)];
  if (host !== null) cells.push(figures(host));
  if (ratios !== null) cells.push(columns([ratios.time.toFixed(2), ratios.instruction.toFixed(2)]));
  return cells.join(' |');
}

function figures(measured: Measured<VerificationTime>): string {
  if (!measured.ok) return ` ${measured.reason}`;
  const { instructions, milliseconds } = measured.value;
  return columns([String(instructions), milliseconds.toFixed(1), rate(measured.value).toFixed(0)]);
}

function columns(texts: readonly string[]): string {
  return texts.map((text) => text.padStart(WIDTH)).join('');
}
