import { BTF_MAGIC } from '../../../src/compiler/btf/canonical.js';
import * as kinds from '../../../src/compiler/btf/kinds.js';
import type { ByteOrder } from '../../../src/compiler/bytes/byte-order.js';
import { ByteWriter } from '../../../src/compiler/bytes/writer.js';
import { THEN_KEEP, type Agent } from '../machine/agent.js';
import { attribute, words } from './words.js';

const BPF_BTF_LOAD = 18;
const ATTR_BYTES = 28;
const HEADER_BYTES = 24;

/** Ids of the types that questions need: `int`, and functions that return one. */
export const INT = 1;
export const MAIN = 3;
export const CALLBACK = 4;

/** `int`, `int (void)`, and two functions of that prototype: a program, and a callback of it. */
export function questionBtf(order: ByteOrder): Uint8Array {
  const strings = '\0int\0main\0callback\0';
  const types = words(order, [
    ...[1, kinds.KIND_INT << 24, 4, (1 << 24) | 32],
    ...[0, kinds.KIND_FUNC_PROTO << 24, INT],
    ...[5, kinds.KIND_FUNC << 24, 2],
    ...[10, kinds.KIND_FUNC << 24, 2],
  ]);
  const header = new ByteWriter(order).u16(BTF_MAGIC).u8(1).u8(0);
  for (const value of [HEADER_BYTES, 0, types.length, types.length, strings.length]) header.u32(value);
  return Buffer.concat([header.toBytes(), types, Buffer.from(strings)]);
}

/** Loads it; answers its descriptor in the machine. */
export async function loadQuestionBtf(agent: Agent): Promise<number> {
  const btf = questionBtf(agent.order);
  const attr = attribute(agent.order, ATTR_BYTES, [[16, btf.length]]);
  const { result } = await agent.bpf(BPF_BTF_LOAD, attr, [{ offset: 0, in: btf }], THEN_KEEP);
  if (result < 0) throw new Error(`the kernel refuses the BTF of the questions: errno ${-result}`);
  return result;
}
