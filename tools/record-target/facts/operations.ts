import type { Kernel } from '../kernel/kernel.js';

/** struct bpf_verifier_ops of a program type; one for each structure, for struct_ops. Addresses; 0 where there is none. */
export interface Operations {
  readonly type: number;
  /** The structure's BTF id, 0 for all other program types. */
  readonly attachBtfId: number;
  readonly getFuncProto: bigint;
  readonly isValidAccess: bigint;
  readonly genPrologue: bigint;
  readonly convertCtxAccess: bigint;
  readonly btfStructAccess: bigint;
}

function readOperations(kernel: Kernel, at: bigint, type: number, attachBtfId: number): Operations {
  const member = (name: string) =>
    kernel.findMember('bpf_verifier_ops', name) === null ? 0n : kernel.read(at, 'bpf_verifier_ops', name);
  return {
    type,
    attachBtfId,
    getFuncProto: member('get_func_proto'),
    isValidAccess: member('is_valid_access'),
    genPrologue: member('gen_prologue'),
    convertCtxAccess: member('convert_ctx_access'),
    btfStructAccess: member('btf_struct_access'),
  };
}

/** One registered structure of function pointers that programs may implement. */
export interface RegisteredStructOps {
  readonly name: string;
  readonly typeId: number;
  readonly valueId: number;
  /** Address of its struct bpf_struct_ops. */
  readonly address: bigint;
  /** Address of its struct bpf_struct_ops_arg_info, one a member; 0 where the kernel has none. */
  readonly argumentInfo: bigint;
}

export async function operationsOf(kernel: Kernel, structs: readonly RegisteredStructOps[]): Promise<Operations[]> {
  const table = kernel.symbols.address('bpf_verifier_ops');
  const found: Operations[] = [];
  for (const [name, type] of kernel.enumerators('bpf_prog_type')) {
    if (name.startsWith('__')) continue;
    const at = kernel.memory.u64(table + 8n * BigInt(type));
    if (at !== 0n && name !== 'BPF_PROG_TYPE_STRUCT_OPS') found.push(readOperations(kernel, at, type, 0));
    if (name !== 'BPF_PROG_TYPE_STRUCT_OPS') continue;
    for (const { typeId, address } of structs) {
      const ops = await kernel.memory.settle(() => kernel.read(address, 'bpf_struct_ops', 'verifier_ops'));
      found.push(await kernel.memory.settle(() => readOperations(kernel, ops, type, typeId)));
    }
  }
  return found;
}
