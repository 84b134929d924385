/**
 * Which functions of the kernel have their calls counted (retbleed=stuff) without the caller's doing. Where the kernel itself calls a function,
 * it puts the counting before it and has its own calls begin there. The JIT takes such a function for one that counts, though it calls it
 * behind the counting (is_callthunk, arch/x86/kernel/callthunks.c). Which these are is recorded.
 */
import type { Profile } from '../../targets/profile.js';
import type { Address } from '../address.js';
import type { SymbolRef } from '../program.js';

/** The fact of a profile's `cpu` that lists their names, blanks between. */
const RECORDED = 'selfCounting';

const ANSWERS = new WeakMap<Profile, (target: Address | null, symbol: SymbolRef) => boolean>();

/** Answers by address, or where that is null by the symbol's name. */
export function selfCounting(profile: Profile): (target: Address | null, symbol: SymbolRef) => boolean {
  let answer = ANSWERS.get(profile);
  if (answer === undefined) ANSWERS.set(profile, (answer = readAnswer(profile)));
  return answer;
}

function readAnswer(profile: Profile): (target: Address | null, symbol: SymbolRef) => boolean {
  const names = new Set(String(profile.cpu[RECORDED] ?? '').split(' '));
  // Kernel text lies within 2 GiB: the lower halves of addresses tell functions apart.
  const addresses = new Set<number>();
  for (const name of names) {
    const address = name === '' ? null : profile.symbols.address(name);
    if (address !== null) addresses.add(address[1] | 0);
  }
  return (target, symbol) => {
    if (target !== null) return addresses.has(target.lo);
    return symbol.kind === 'kernel' && names.has(symbol.name);
  };
}
