import type { Kernel } from '../kernel/kernel.js';

/**
 * BTF id sets and lists of the kernel's .BTF_ids section, by the name they have in its sources.
 *
 *     set:  u32 count | ids            (label __BTF_ID__set__NAME)
 *     set8: u32 count | u32 flags | (id, flags)…   (label __BTF_ID__set8__NAME)
 *     list: ids up to the next name
 */
export function idSets(kernel: Kernel): Record<string, number[]> {
  const { symbols, memory } = kernel;
  const labels: { at: bigint; name: string }[] = [];
  let first = -1n;
  let last = 0n;
  for (const [name, at] of symbols.entries()) {
    if (!name.startsWith('__BTF_ID__')) continue;
    if (first < 0n || at < first) first = at;
    if (at > last) last = at;
  }
  if (first < 0n) return {};
  for (let at = first - 4n; at <= last; at += 4n) for (const name of symbols.names(at)) labels.push({ at, name });
  const sets: Record<string, number[]> = {};
  const words = (at: bigint, count: number) => Array.from({ length: count }, (_, i) => memory.u32(at + BigInt(4 * i)));
  const own = labels.filter(({ name }) => !name.startsWith('__BTF_ID__'));
  for (const { at, name } of labels) {
    const set = /^__BTF_ID__set(8?)__(.*)$/.exec(name);
    if (set === null) continue;
    const count = memory.u32(at);
    const ids = set[1] === '8' ? words(at + 8n, 2 * count).filter((_, i) => i % 2 === 0) : words(at + 4n, count);
    sets[set[2]!] = ids;
  }
  for (const [i, { at, name }] of own.entries()) {
    if (sets[name] !== undefined || !/^[a-z_]\w*$/i.test(name)) continue;
    const end = own.slice(i + 1).find((next) => next.at > at)?.at ?? last + 4n;
    sets[name] = words(at, Number(end - at) / 4);
  }
  return sets;
}
