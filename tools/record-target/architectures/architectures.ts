/** The architectures whose kernels can be recorded: the one place that lists them. */
import { ARM64 } from './arm64.js';
import type { RecordedArchitecture } from './architecture.js';
import { S390X } from './s390x.js';
import { X86_64 } from './x86_64.js';

export const ARCHITECTURES: readonly [RecordedArchitecture, ...RecordedArchitecture[]] = [ARM64, S390X, X86_64];

/** Throws where there is no such architecture; the first one where none is named. */
export function architectureNamed(name: string | undefined): RecordedArchitecture {
  if (name === undefined) return ARCHITECTURES[0];
  const found = ARCHITECTURES.find((one) => one.name === name);
  const names = ARCHITECTURES.map((one) => one.name).join(', ');
  if (found === undefined) throw new Error(`no kernels of ${name} can be recorded, but of: ${names}`);
  return found;
}
