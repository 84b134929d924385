/** Target types that a program's type may be: those of its name, flavors aside, and of its kind. */
import type { Btf } from '../btf/btf.js';
import { essentialLength } from '../btf/names.js';
import type { Budget } from './budget.js';
import { kindsCompatible } from './compatible.js';

/** A type that a program's type may be. */
export interface Candidate {
  readonly btf: Btf;
  readonly id: number;
}

/** Candidates of the kernel itself, or where it has none those of its modules; none once the budget is spent. */
export function findCandidates(
  local: Btf,
  localId: number,
  kernel: Btf,
  modules: readonly Btf[],
  budget: Budget,
): Candidate[] {
  const found = ownCandidates(local, localId, kernel, budget);
  return found.length > 0 ? found : modules.flatMap((btf) => ownCandidates(local, localId, btf, budget));
}

/** In order of id, without those of the base. */
function ownCandidates(local: Btf, localId: number, btf: Btf, budget: Budget): Candidate[] {
  const name = local.typeName(localId);
  const essential = name.slice(0, essentialLength(name));
  const found: number[] = [];
  if (essentialLength(essential) === essential.length) found.push(...btf.withName(essential));
  if (!budget.spend(btf.image.names.flavored.length)) return [];
  for (const id of btf.image.names.flavored) if (hasEssentialName(btf, id, essential)) found.push(id);
  const localKind = local.kind(localId);
  return found
    .filter((id) => kindsCompatible(localKind, btf.kind(id)))
    .sort((a, b) => a - b)
    .map((id) => ({ btf, id }));
}

/** Whether a type's name is that name and a flavor. */
function hasEssentialName(btf: Btf, id: number, essential: string): boolean {
  const name = btf.typeName(id);
  const length = essentialLength(name);
  return length === essential.length && length < name.length && name.startsWith(essential);
}
