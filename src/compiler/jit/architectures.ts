/** The architectures that code is generated for: the one place that lists them. */
import type { Architecture } from './architecture.js';
import { ARM64 } from './arm64/architecture.js';
import { S390X } from './s390x/architecture.js';
import { X86_64 } from './x86_64/architecture.js';

/** The first is the one that is meant where an answer of an older service names none. */
export const ARCHITECTURES: readonly [Architecture, ...Architecture[]] = [ARM64, S390X, X86_64];

/** Throws where there is no such architecture: profiles are our own recordings. */
export function architectureOf(name: string): Architecture {
  const found = ARCHITECTURES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no architecture is called ${name}`);
  return found;
}
