/** Why programs failed: what several kernels say alike is said once. */
import { failureText } from '../text.js';
import type { Verdict } from './verdict.js';

export interface Reason {
  readonly file: string;
  readonly program: string;
  readonly kernels: readonly string[];
  readonly text: string;
}

/** In the order of the verdicts. */
export function reasons(verdicts: readonly Verdict[]): readonly Reason[] {
  const found = new Map<string, Reason & { kernels: string[] }>();
  for (const { file, program, kernel, failure } of verdicts) {
    if (failure === null) continue;
    const text = failureText(failure);
    const name = [file, program, text].join('\0');
    const known = found.get(name);
    if (known === undefined) found.set(name, { file, program, kernels: [kernel], text });
    else known.kernels.push(kernel);
  }
  return [...found.values()];
}
