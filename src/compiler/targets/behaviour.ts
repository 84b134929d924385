/**
 * What one kernel's verifier, rewrites or JIT do and another's do not: a record per profile, so that nothing compares versions. Each
 * member is decided by a probe of the recorder (tools/record-target), which asks the live kernel; the recording keeps the answers as
 * words (`features` of manifest.json). A kernel that backported half of a series comes out as it is.
 *
 * A member that no probe can tell apart does not exist. A new one: a member and a row here, a probe there.
 */

export interface Behaviour {
  /** BPF_DIV and BPF_MOD with the offset 1 divide signed numbers. */
  readonly signedDivision: boolean;
  /** BPF_MOV with an offset of 8, 16 or 32 extends the sign. */
  readonly signExtendingMoves: boolean;
  /** BPF_LDX with the mode MEMSX exists. */
  readonly signExtendingLoads: boolean;
  /** BPF_JMP32 | BPF_JA, a jump of 32 bits, and a JIT that knows it. */
  readonly longJumps: boolean;
  /** BPF_ST into a program's context. */
  readonly contextConstantStores: boolean;
  /** The frames of all calls count towards 512 bytes rounded up to 16 each, as the JIT lays them; else to 32. */
  readonly framesOf16Bytes: boolean;
  /** The kernel has no JIT: it interprets programs, and has no code to show. */
  readonly interpretsPrograms: boolean;
  /** The JIT's machine leaves the upper half of a register alone when it writes the lower: instructions clear it. */
  readonly zeroExtendsResults: boolean;
  /** Calls of kernel functions hold the function's BTF id to the end, and the JIT finds its address: it may lie anywhere. */
  readonly callsByFunctionId: boolean;
  /** Look-ups in per-CPU maps are inlined, by a move that adds this CPU's base. */
  readonly movesPerCpuAddresses: boolean;
  /** Programs of several functions may make tail calls. */
  readonly tailCallsFromFunctions: boolean;
  /** Precision of what an atomic operation fetched is not traced back into the stack that it was fetched from (mended in 6.12 late). */
  readonly losesAtomicFetches: boolean;
  /** bpf_kptr_xchg is one atomic instruction instead of a call. */
  readonly inlinesPointerExchange: boolean;
}

/** How the recorder decides. */
export type Probe =
  | 'a program that only such a kernel takes'
  | 'a function of the kernel, called by the recorder'
  | 'its log of a program'
  | 'the opcodes that it takes'
  | 'its tables';

export interface FeatureRow {
  /** Of manifest.json, TargetInfo and `bpf-jitd targets`. */
  readonly word: string;
  /** The kernel has … */
  readonly about: string;
  readonly probe: Probe;
  /** The member that it decides; null for what other recorded data say in full, and the word only tells people. */
  readonly member: keyof Behaviour | null;
}

const PROGRAM = 'a program that only such a kernel takes';
const FUNCTION = 'a function of the kernel, called by the recorder';
const row = (word: string, member: keyof Behaviour | null, probe: Probe, about: string): FeatureRow => ({
  ...{ word, member, probe, about },
});

/** Every word of `features`. */
export const FEATURES: readonly FeatureRow[] = [
  row('arena', null, FUNCTION, 'arenas, and a JIT that knows their accesses (`bpf_jit_supports_arena`)'),
  row('context_constant_stores', 'contextConstantStores', PROGRAM, "stores of constants into a program's context"),
  row('exceptions', null, FUNCTION, '`bpf_throw` (`bpf_jit_supports_exceptions`)'),
  row('far_kfunc_call', 'callsByFunctionId', FUNCTION, 'calls of kernel functions at any distance (`bpf_jit_supports_far_kfunc_call`)'),
  row('fastcall', null, 'its tables', 'helpers that clobber no more registers than they use'),
  row('frames_of_16_bytes', 'framesOf16Bytes', PROGRAM, 'a verifier that counts frames rounded to 16 bytes towards the 512 of all calls, not to 32'),
  row('interpreter', 'interpretsPrograms', 'its tables', 'no JIT (`net.core.bpf_jit_enable` does not exist): it interprets all programs'),
  row('kernel_functions', null, 'its tables', 'functions that programs may call'),
  row('kfunc_call', null, FUNCTION, 'a JIT that calls them (`bpf_jit_supports_kfunc_call`)'),
  row('long_jumps', 'longJumps', PROGRAM, 'jumps of 32 bits, and a JIT that knows them'),
  row('may_goto', null, 'the opcodes that it takes', '`may_goto`'),
  row('percpu_insn', 'movesPerCpuAddresses', FUNCTION, 'moves of per-CPU addresses (`bpf_jit_supports_percpu_insn`)'),
  row('private_stack', null, FUNCTION, 'stacks of their own for programs (`bpf_jit_supports_private_stack`)'),
  row('ptr_xchg', 'inlinesPointerExchange', FUNCTION, '`bpf_kptr_xchg` as one instruction (`bpf_jit_supports_ptr_xchg`)'),
  row('sign_extending_loads', 'signExtendingLoads', 'the opcodes that it takes', 'loads that extend the sign'),
  row('sign_extending_moves', 'signExtendingMoves', PROGRAM, 'moves that extend the sign'),
  row('signed_division', 'signedDivision', PROGRAM, 'division and remainder of signed numbers'),
  row('struct_ops', null, 'its tables', 'structures that programs may implement'),
  row('subprog_tailcalls', 'tailCallsFromFunctions', FUNCTION, 'tail calls in programs of several functions (`bpf_jit_supports_subprog_tailcalls`)'),
  row('untraced_atomics', 'losesAtomicFetches', 'its log of a program', 'no precision that is traced through atomic operations into the stack'),
  row('zero_extension', 'zeroExtendsResults', FUNCTION, 'a JIT that wants results of 32 bits zero-extended (`bpf_jit_needs_zext`)'),
];

/** Of a recording that has these words. */
export function behaviourOf(features: readonly string[]): Behaviour {
  const decided = FEATURES.flatMap(({ member, word }) => (member === null ? [] : [[member, features.includes(word)]]));
  return Object.fromEntries(decided) as unknown as Behaviour;
}

/** docs/behaviours.md */
export function behavioursDocument(): string {
  const rows = FEATURES.map(({ word, about, probe, member }) => {
    return `| \`${word}\` | ${about} | ${probe} | ${member === null ? '' : `\`${member}\``} |`;
  });
  return `# Behaviours

<!-- Written by \`npm run generate\` from src/compiler/targets/behaviour.ts. -->

What a kernel does and another does not, where a program cannot be judged without knowing. Nothing compares versions: the recorder asks the live
kernel, and a profile keeps the answers as words (\`features\` of \`manifest.json\`, of \`GET /targets\` and \`bpf-jitd targets\`). Where a word decides
what our verifier, rewrites or JIT do by themselves, it is a member of \`Behaviour\`; of the others the recorded tables tell all that is needed, and
the word is for people.

| word | the kernel has | decided by | member |
|---|---|---|---|
${rows.join('\n')}

The programs stand in \`tools/record-target/ask/features.ts\`; functions of the kernel are called as [targets.md](targets.md) tells.
`;
}
