import * as kinds from '../../../src/compiler/btf/kinds.js';
import { THEN_KEEP, type Agent } from '../machine/agent.js';

const BPF_BTF_LOAD = 18;
const ATTR_BYTES = 28;
const HEADER_BYTES = 24;

/** Ids of the types that questions need: `int`, and functions that return one. */
export const INT = 1;
export const MAIN = 3;
export const CALLBACK = 4;

/** `int`, `int (void)`, and two functions of that prototype: a program, and a callback of it. */
export function questionBtf(): Uint8Array {
  const strings = '\0int\0main\0callback\0';
  const words = [
    ...[1, kinds.KIND_INT << 24, 4, (1 << 24) | 32],
    ...[0, kinds.KIND_FUNC_PROTO << 24, INT],
    ...[5, kinds.KIND_FUNC << 24, 2],
    ...[10, kinds.KIND_FUNC << 24, 2],
  ];
  const types = Buffer.from(Uint32Array.from(words).buffer);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(0xeb9f, 0);
  header[2] = 1;
  header.writeUInt32LE(HEADER_BYTES, 4);
  header.writeUInt32LE(0, 8);
  header.writeUInt32LE(types.length, 12);
  header.writeUInt32LE(types.length, 16);
  header.writeUInt32LE(strings.length, 20);
  return Buffer.concat([header, types, Buffer.from(strings)]);
}

/** Loads it; answers its descriptor in the machine. */
export async function loadQuestionBtf(agent: Agent): Promise<number> {
  const btf = questionBtf();
  const attr = Buffer.alloc(ATTR_BYTES);
  attr.writeUInt32LE(btf.length, 16);
  const { result } = await agent.bpf(BPF_BTF_LOAD, attr, [{ offset: 0, in: btf }], THEN_KEEP);
  if (result < 0) throw new Error(`the kernel refuses the BTF of the questions: errno ${-result}`);
  return result;
}
