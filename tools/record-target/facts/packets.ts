import {
  PACKET_READ,
  PACKET_READ_NOTED,
  PACKET_WRITE,
  PACKET_WRITE_NOTED,
  type HelperVariant,
  type PacketAccessRow,
  type SocketMapUpdate,
} from '../../../src/compiler/targets/data.js';
import { SCRATCH, type ProgramEmulator, type ProgramKind } from '../emulate/program.js';
import type { Kernel } from '../kernel/kernel.js';
import { argumentsByName } from './functions.js';

/** A struct bpf_verifier_env and a struct bpf_call_arg_meta of our making. */
const ENV = SCRATCH + 0x1000n;
const META = SCRATCH;

/** Numbers of the helpers that may move packet data: asked by number, or, until 6.12, by the helper's function. */
export async function recordPacketChangers(
  emulator: ProgramEmulator,
  protos: ReadonlyMap<bigint, number>,
  variants: readonly HelperVariant[],
): Promise<number[]> {
  const { kernel } = emulator;
  const changes = kernel.symbols.address('bpf_helper_changes_pkt_data');
  const byNumber = argumentsByName(kernel, 'bpf_helper_changes_pkt_data')[0] === 'func_id';
  const ask = async (argument: bigint) => {
    const kind = { type: 0, attachType: 0, sleepable: false, attachBtfId: 0 };
    return ((await emulator.run(kind, () => undefined, changes, [argument])) & 1n) !== 0n;
  };
  const addresses = [...protos.keys()];
  const found = new Set<number>();
  for (const { helpers } of variants) {
    for (let i = 0; i + 1 < helpers.length; i += 2) {
      const [id, proto] = [helpers[i]!, helpers[i + 1]!];
      if (found.has(id)) continue;
      const implementation = kernel.read(addresses[proto]!, 'bpf_func_proto', 'func');
      if (await ask(byNumber ? BigInt(id) : implementation)) found.add(id);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** What each program type may do with packet data (may_access_direct_pkt_data). */
export async function recordPacketAccess(emulator: ProgramEmulator): Promise<PacketAccessRow[]> {
  const { kernel, cpu } = emulator;
  const may = kernel.symbols.address('may_access_direct_pkt_data');
  const takesPackets = kernel.member('bpf_call_arg_meta', 'pkt_access').offset;
  const noted = kernel.member('bpf_verifier_env', 'seen_direct_write').offset;
  const accesses = kernel.enumerators('bpf_access_type');
  const rows: PacketAccessRow[] = [];
  for (const [name, type] of kernel.enumerators('bpf_prog_type')) {
    if (name.startsWith('__')) continue;
    const ask = async (meta: bigint, pktAccess: number): Promise<number> => {
      let mask = 0;
      for (const [access, yes, note] of [
        ['BPF_READ', PACKET_READ, PACKET_READ_NOTED],
        ['BPF_WRITE', PACKET_WRITE, PACKET_WRITE_NOTED],
      ] as const) {
        const setUp = () => {
          prepareEnvironment(emulator);
          cpu.store(META + BigInt(takesPackets), 1, BigInt(pktAccess));
        };
        const kind = { type, attachType: 0, sleepable: false, attachBtfId: 0 };
        const answer = await emulator.run(kind, setUp, may, [ENV, meta, BigInt(accesses.get(access)!)]);
        if ((answer & 1n) !== 0n) mask |= yes;
        if (cpu.load(ENV + BigInt(noted), 1) !== 0n) mask |= note;
      }
      return mask;
    };
    const row: PacketAccessRow = [type, await ask(0n, 0), await ask(META, 1), await ask(META, 0)];
    if (row.slice(1).some((mask) => mask !== 0)) rows.push(row);
  }
  return rows;
}

/** Which programs may change socket maps with map_update_elem and its like (may_update_sockmap). */
export async function recordSocketMapUpdates(emulator: ProgramEmulator): Promise<SocketMapUpdate[]> {
  const { kernel } = emulator;
  const may = kernel.symbols.address('may_update_sockmap');
  const attachTypes = kernel.enumerators('bpf_attach_type').get('__MAX_BPF_ATTACH_TYPE') ?? 64;
  const found: SocketMapUpdate[] = [];
  for (const helper of kernel.enumerators('bpf_func_id').values()) {
    for (const [name, type] of kernel.enumerators('bpf_prog_type')) {
      if (name.startsWith('__')) continue;
      const allowed: number[] = [];
      emulator.forget();
      for (let attachType = 0; attachType < attachTypes; attachType++) {
        if (attachType > 0 && !emulator.looked.attachType) {
          if (allowed.length > 0) allowed.push(attachType);
          continue;
        }
        const kind: ProgramKind = { type, attachType, sleepable: false, attachBtfId: 0 };
        const setUp = () => {
          prepareEnvironment(emulator);
        };
        if (((await emulator.run(kind, setUp, may, [ENV, BigInt(helper)])) & 1n) !== 0n) allowed.push(attachType);
      }
      if (allowed.length === 0) continue;
      const every = allowed.length === attachTypes;
      found.push({ helper, type, attachTypes: every ? null : allowed, attachBtfIds: null });
    }
  }
  return found;
}

/** The verifier's environment, as far as these functions look at it: the program. */
function prepareEnvironment({ kernel, cpu, program }: { kernel: Kernel } & Pick<ProgramEmulator, 'cpu' | 'program'>) {
  cpu.store(ENV + BigInt(kernel.member('bpf_verifier_env', 'prog').offset), 8, program);
  cpu.store(ENV + BigInt(kernel.member('bpf_verifier_env', 'seen_direct_write').offset), 1, 0n);
}

/** Opcodes that the kernel knows (bpf_opcode_in_insntable). */
export async function recordOpcodes(emulator: ProgramEmulator): Promise<number[]> {
  const known = emulator.kernel.symbols.address('bpf_opcode_in_insntable');
  const kind = { type: 0, attachType: 0, sleepable: false, attachBtfId: 0 };
  const found: number[] = [];
  for (let opcode = 0; opcode < 256; opcode++) {
    if (((await emulator.run(kind, () => undefined, known, [BigInt(opcode)])) & 1n) !== 0n) found.push(opcode);
  }
  return found;
}
