/** Target types that a program's type may be: those of its name, flavors aside, and of its kind. */
import type { Btf } from '../btf/btf.js';
import { essentialLength } from '../btf/names.js';
import type { Budget } from './budget.js';
import { kindsCompatible } from './compatible.js';

/** Ids in the target's BTF, in order; none once the budget is spent. */
export function findCandidates(local: Btf, localId: number, target: Btf, budget: Budget): number[] {
  const name = local.typeName(localId);
  const essential = name.slice(0, essentialLength(name));
  const found: number[] = [];
  for (let btf: Btf | null = target; btf !== null; btf = btf.base) {
    if (essentialLength(essential) === essential.length) found.push(...btf.withName(essential));
    if (!budget.spend(btf.image.names.flavored.length)) return [];
    for (const id of btf.image.names.flavored) if (hasEssentialName(btf, id, essential)) found.push(id);
  }
  const localKind = local.kind(localId);
  return found.filter((id) => kindsCompatible(localKind, target.kind(id))).sort((a, b) => a - b);
}

/** Whether a type's name is that name and a flavor. */
function hasEssentialName(btf: Btf, id: number, essential: string): boolean {
  const name = btf.typeName(id);
  const length = essentialLength(name);
  return length === essential.length && length < name.length && name.startsWith(essential);
}
