/** Which helpers the live kernel replaces by a few instructions, for whatever JIT it has. */
import * as isa from '../../../src/compiler/isa/opcodes.js';
import { Instructions } from '../../../src/compiler/isa/instructions.js';
import type { HelperData, TemplateInstruction } from '../../../src/compiler/targets/data.js';
import { ARG_DONTCARE } from '../../../src/compiler/targets/types.js';
import { THEN_DUMP, type Agent } from '../machine/agent.js';
import type { LiveKind } from './helpers.js';
import { assemble, call, load, RETURN_ZERO } from './load.js';

export type InlinedHelper = readonly [helper: number, instructions: readonly TemplateInstruction[]];

/**
 * Asks of every helper without arguments. `mayCall`: by kind of `live`, by helper number. What contains an address of the
 * kernel's (a 64-bit constant) is none of these: the dump does not say whose it is.
 */
export async function askInlinedHelpers(
  agent: Agent,
  helpers: HelperData,
  live: readonly LiveKind[],
  mayCall: readonly (readonly boolean[])[],
): Promise<InlinedHelper[]> {
  const found: InlinedHelper[] = [];
  for (const id of withoutArguments(helpers)) {
    const kind = live[mayCall.findIndex((may) => may[id] === true)];
    if (kind === undefined) continue;
    const instructions = assemble([call(id), ...RETURN_ZERO]);
    const { translated } = await load(agent, { ...kind, instructions }, THEN_DUMP);
    const template = translated === null ? null : templateOf(Instructions.from(translated));
    if (template !== null) found.push([id, template]);
  }
  return found;
}

function withoutArguments({ variants, protos }: HelperData): number[] {
  const found = new Set<number>();
  for (const { helpers } of variants) {
    for (let i = 0; i + 1 < helpers.length; i += 2) {
      if (protos[helpers[i + 1]!]!.argTypes.every((type) => type === ARG_DONTCARE)) found.add(helpers[i]!);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** What stands in place of the call; null where that is the call itself, or depends on an address. */
function templateOf(insns: Instructions): TemplateInstruction[] | null {
  const count = insns.length - RETURN_ZERO.length;
  const template: TemplateInstruction[] = [];
  for (let i = 0; i < count; i++) {
    const opcode = insns.opcode(i);
    if (opcode === (isa.JMP | isa.CALL) || opcode === isa.LD_IMM64) return null;
    template.push([opcode, insns.dst(i), insns.src(i), insns.off(i), insns.imm(i)]);
  }
  return template.length === 0 ? null : template;
}
