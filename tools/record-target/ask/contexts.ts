import { THEN_DUMP, type Agent } from '../machine/agent.js';
import type { LiveKind } from './helpers.js';
import { assemble, load, RETURN_ZERO } from './load.js';

/** A context access put to the live kernel. */
export interface ContextAnswer {
  readonly type: number;
  readonly attachType: number;
  readonly offset: number;
  readonly size: number;
  readonly write: boolean;
  /** Loads: destination and context register. Stores: context and value register. */
  readonly dst: number;
  readonly src: number;
  readonly allowed: boolean;
  /** What the access became, hexadecimal, where the program as a whole was accepted. */
  readonly translated: string | null;
}

const REFUSED = /invalid bpf_context access/;
const CLASS_LDX = 0x61;
const CLASS_STX = 0x63;
const SIZE_BITS: Readonly<Record<number, number>> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };
const INSTRUCTION_BYTES = 8;
/** Offsets are drawn from as far as most contexts reach and a little beyond. */
const REACH = 224;

/** So many random accesses of random kinds of programs; the same seed draws the same. */
export async function askContexts(
  agent: Agent,
  kinds: readonly LiveKind[],
  count: number,
  seed: number,
): Promise<ContextAnswer[]> {
  const random = numbers(seed);
  const answers = Array.from({ length: count }, () => {
    const kind = kinds[random(kinds.length)]!;
    const size = 1 << random(4);
    // Most fields are aligned; some questions are not.
    const offset = random(8) === 0 ? random(REACH) : random(REACH / size) * size;
    const write = random(3) === 0;
    const dst = random(10);
    const src = write ? (dst + 1 + random(9)) % 10 : random(10);
    return ask(agent, kind, { offset, size, write, dst, src });
  });
  return Promise.all(answers);
}

type Access = Pick<ContextAnswer, 'offset' | 'size' | 'write' | 'dst' | 'src'>;

async function ask(agent: Agent, kind: LiveKind, access: Access): Promise<ContextAnswer> {
  const { offset, size, write, dst, src } = access;
  const context = write ? dst : src;
  const opcode = (write ? CLASS_STX : CLASS_LDX) | SIZE_BITS[size]!;
  const before = [[0xbf, context, 1, 0, 0] as const, ...(write ? [[0xb7, src, 0, 0, 0] as const] : [])];
  const program = [...before, [opcode, dst, src, offset, 0] as const, ...RETURN_ZERO];
  const { errno, log, translated } = await load(agent, { ...kind, instructions: assemble(program) }, THEN_DUMP);
  const became = translated?.subarray(
    before.length * INSTRUCTION_BYTES,
    translated.length - RETURN_ZERO.length * INSTRUCTION_BYTES,
  );
  return {
    type: kind.type,
    attachType: kind.attachType,
    ...access,
    allowed: !REFUSED.test(log),
    translated: errno === 0 && became !== undefined ? Buffer.from(became).toString('hex') : null,
  };
}

/** A linear congruential generator (Numerical Recipes' constants): a seed's questions can be asked again. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
