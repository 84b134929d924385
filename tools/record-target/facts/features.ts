import { KIND_FUNC } from '../../../src/compiler/btf/kinds.js';
import type { HelperData, KernelData } from '../../../src/compiler/targets/data.js';
import * as isa from '../../../src/compiler/isa/opcodes.js';
import { askFeatures } from '../ask/features.js';
import type { ProgramEmulator } from '../emulate/program.js';

const SUPPORTS = 'bpf_jit_supports_';

/**
 * What the kernel can do beyond the oldest that can be recorded, in the words of src/compiler/targets/behaviour.ts: what its JIT says of itself
 * (bpf_jit_supports_…), what its tables show, and which programs it takes.
 */
export async function recordFeatures(
  emulator: ProgramEmulator,
  helpers: HelperData,
  data: Pick<KernelData, 'opcodes' | 'mapOps' | 'functions' | 'structOps'>,
): Promise<string[]> {
  const { symbols, btf } = emulator.kernel;
  const found: string[] = [];
  for (const [name] of symbols.entries()) {
    if (!name.startsWith(SUPPORTS)) continue;
    const id = btf.find(name, KIND_FUNC);
    if (id === 0 || btf.vlen(btf.sizeOrType(id)) !== 0) continue; // those that must be told of an instruction
    if (await answersYes(emulator, name)) found.push(name.slice(SUPPORTS.length));
  }
  const opcodes = new Set(data.opcodes);
  const shown: Readonly<Record<string, boolean>> = {
    sign_extending_loads: opcodes.has(isa.LDX | isa.MEMSX | isa.B),
    may_goto: opcodes.has(isa.JMP | isa.JCOND),
    fastcall: helpers.protos.some(({ allowFastcall }) => allowFastcall),
    kernel_functions: data.functions.some(({ functions }) => functions.length > 0),
    struct_ops: data.structOps.length > 0,
    interpreter: (await emulator.kernel.agent.file('/proc/sys/net/core/bpf_jit_enable')) === null,
    zero_extension: await answersYes(emulator, 'bpf_jit_needs_zext'),
  };
  for (const [feature, has] of Object.entries(shown)) if (has) found.push(feature);
  found.push(...(await askFeatures(emulator.kernel.agent)));
  return found.sort();
}

/** What a function of the kernel without arguments says; no where there is none. */
async function answersYes(emulator: ProgramEmulator, name: string): Promise<boolean> {
  const address = emulator.kernel.symbols.find(name);
  if (address === null) return false;
  const kind = { type: 0, attachType: 0, sleepable: false, attachBtfId: 0 };
  return ((await emulator.run(kind, () => undefined, address, [])) & 1n) !== 0n;
}
