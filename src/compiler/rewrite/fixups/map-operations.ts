/**
 * Calls of map helpers go to the map's own operations (since Linux 4.11 for lookups, 4.15 for the others).
 *
 * Interpreters call the helpers. Else, where every path passes the same map, its type is known: lookups become the type's own instructions where it has some
 * (map-lookup.ts), and what remains calls the type's function rather than the helper that would find it.
 */
import type { MapOps } from '../../targets/profile.js';
import * as helper from '../../targets/helper-ids.js';
import type { Facts } from '../../verify/facts.js';
import type { VerifierMap } from '../../verify/map.js';
import { inlineLookup } from '../map-lookup.js';
import { callSymbol, isHelperCall } from './calls.js';
import type { Fixup } from './fixup.js';

/** Facts.mapIndex where the paths differ. */
const SEVERAL = -2;

/** Those operations that have a symbol. */
type Operation = Exclude<keyof MapOps, 'btfId'>;

const OPERATION: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [helper.MAP_LOOKUP_ELEM, 'lookupElem'],
  [helper.MAP_UPDATE_ELEM, 'updateElem'],
  [helper.MAP_DELETE_ELEM, 'deleteElem'],
  [helper.MAP_PUSH_ELEM, 'pushElem'],
  [helper.MAP_POP_ELEM, 'popElem'],
  [helper.MAP_PEEK_ELEM, 'peekElem'],
  [helper.REDIRECT_MAP, 'redirect'],
  [helper.FOR_EACH_MAP_ELEM, 'forEachCallback'],
  [helper.MAP_LOOKUP_PERCPU_ELEM, 'lookupPercpuElem'],
]);

export const callMapOperation: Fixup = (context, i) => {
  if (context.profile.behaviour.interpretsPrograms) return null;
  const { insns, facts } = context.draft;
  const id = insns.imm(i);
  const operation = isHelperCall(insns, i, id) ? OPERATION.get(id) : undefined;
  const map = knownMap(facts[i]!);
  if (operation === undefined || map === null) return null;
  const { spec } = map;
  const ops = context.profile.mapOps(spec.type);
  if (ops === null) return null;
  if (id === helper.MAP_LOOKUP_ELEM) {
    const lookup = inlineLookup(context.profile, spec, ops, !context.input.bypassSpecV1);
    if (lookup !== null) return lookup;
  }
  const symbol = ops[operation];
  if (symbol === null) return null;
  callSymbol(context, i, symbol);
  return 'done';
};

/** The one map that every path passes: one of the program's, or what a map-in-map holds. */
function knownMap(facts: Facts): VerifierMap | null {
  return facts.mapIndex === SEVERAL ? null : facts.map;
}
