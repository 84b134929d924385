/**
 * What an x86-64 kernel's JIT makes of its processor: features and mitigations are read off the code of a program that
 * meets all of them, so that nothing of the kernel's own bookkeeping (whose bits differ between kernels) need be known.
 */
import * as isa from '../../../src/compiler/isa/opcodes.js';
import type { CpuFacts } from '../../../src/compiler/jit/architecture.js';
import { BPF_PROG_TYPE_SCHED_CLS } from '../../../src/compiler/targets/uapi.js';
import { assemble, call, load, RETURN_ZERO } from '../ask/load.js';
import { createMap } from '../ask/maps.js';
import type { Kernel } from '../kernel/kernel.js';
import { THEN_DUMP_ALL } from '../machine/agent.js';

/** Where struct __sk_buff has a number that no one knows beforehand. */
const MARK = 8;
const TAIL_CALL = 12;
const KTIME_GET_NS = 5;
const RET = 0xc3;
const BREAKPOINT = 0xcc;
const JMP = 0xe9;
const JMP_BYTES = 5;
/** LFENCE; JMP RCX */
const LFENCE_JUMP = Buffer.from([0x0f, 0xae, 0xe8, 0xff, 0xe1]);

/** The facts, by the names of message X8664Cpu. Throws where the kernel does not compile the program. */
export async function recordCpu(kernel: Kernel): Promise<CpuFacts> {
  const { agent } = kernel;
  const type = kernel.enumerators('bpf_map_type').get('BPF_MAP_TYPE_PROG_ARRAY')!;
  const map = await createMap(agent, { type, keySize: 4, valueSize: 4, maxEntries: 2 });
  const instructions = assemble([
    [isa.ALU64 | isa.MOV | isa.X, 6, 1, 0, 0],
    call(KTIME_GET_NS),
    [isa.ALU64 | isa.MOV | isa.X, 1, 6, 0, 0],
    [isa.LDX | isa.MEM | isa.W, 3, 1, MARK, 0],
    [isa.ALU64 | isa.LSH | isa.X, 3, 0, 0, 0],
    [isa.LD_IMM64, 2, isa.PSEUDO_MAP_FD, 0, map],
    [0, 0, 0, 0, 0],
    call(TAIL_CALL),
    ...RETURN_ZERO,
  ]);
  const kind = { type: BPF_PROG_TYPE_SCHED_CLS, attachType: 0, attachBtfId: 0, sleepable: false };
  const { compiled, log } = await load(agent, { ...kind, instructions }, THEN_DUMP_ALL);
  await agent.close(map);
  if (compiled === null || compiled.code.length === 0) throw new Error(`the kernel compiles no program: ${log}`);
  const { code, addresses } = compiled;
  const targets = jumps(Buffer.from(code), addresses[0]!).map((to) => kernel.symbols.name(to) ?? '');
  const flags = (await agent.file('/proc/cpuinfo'))?.toString() ?? '';
  return {
    bmi2: Buffer.from(code).includes(Buffer.from([0xc4, 0xe2])), // SHLX
    la57: /^flags\s*:.* la57( |$)/m.test(flags),
    ...indirectJumps(Buffer.from(code), targets),
    rethunk: returnThunk(Buffer.from(code), targets),
    stuffing: Buffer.from(code).includes(Buffer.from([0x65, 0x48, 0xc1])), // SAR of a per-CPU variable
  };
}

/** Where jumps out of the code go; what only looks like one leads to no symbol. */
function jumps(code: Buffer, address: bigint): bigint[] {
  const found: bigint[] = [];
  for (let at = 0; at + JMP_BYTES <= code.length; at++) {
    if (code[at] !== JMP) continue;
    found.push(BigInt.asUintN(64, address + BigInt(at + JMP_BYTES + code.readInt32LE(at + 1))));
  }
  return found;
}

/** What the tail call goes through: the code itself has an LFENCE, a jump to a thunk tells which. */
function indirectJumps(code: Buffer, targets: readonly string[]): CpuFacts {
  const thunk = targets.find((name) => name.startsWith('__x86_indirect_')) ?? '';
  const its = thunk.startsWith('__x86_indirect_its');
  return { lfence: code.includes(LFENCE_JUMP), its, retpoline: thunk !== '' && !its };
}

/** The function that the code's last instruction goes to; '' where that is RET. */
function returnThunk(code: Buffer, targets: readonly string[]): string {
  const end = code.at(-1) === BREAKPOINT ? code.length - 1 : code.length;
  if (code[end - 1] === RET && code[end - JMP_BYTES] !== JMP) return '';
  return targets.at(-1) ?? '';
}
