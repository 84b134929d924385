import { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { ALL_CAPABILITIES } from '../../src/compiler/targets/capabilities.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import type { ContextAnswer } from './ask/contexts.js';
import type { LiveKind } from './ask/helpers.js';

/** Where a profile says otherwise than the live kernel: a sentence each. */
export function helperDifferences(
  profile: Profile,
  live: readonly LiveKind[],
  mayCall: readonly (readonly boolean[])[],
  capabilities: number = ALL_CAPABILITIES,
): string[] {
  const lesser = capabilities === ALL_CAPABILITIES ? '' : `, with capabilities ${capabilities}`;
  return live.flatMap(({ type, attachType, attachBtfId, sleepable }, k) =>
    mayCall[k]!.flatMap((yes, id) => {
      const has = profile.helper(type, attachType, attachBtfId, id, sleepable, capabilities) !== null;
      const where = `type ${type}, attach type ${attachType}, at ${attachBtfId}${sleepable ? ', sleepable' : ''}${lesser}`;
      return has === yes
        ? []
        : [`helper ${id} of ${where}: the kernel says ${String(yes)}, the profile ${String(has)}`];
    }),
  );
}

export function contextDifferences(profile: Profile, answers: readonly ContextAnswer[]): string[] {
  return answers.flatMap((answer) => {
    const { type, attachType, offset, size, write, dst, src } = answer;
    const layout = profile.context(type, attachType);
    const access = layout?.access(offset, size, write) ?? null;
    const where = `${write ? 'store' : 'load'} of ${size} at ${offset}, type ${type}, attach type ${attachType}`;
    if ((access !== null) !== answer.allowed)
      return [`${where}: the kernel ${answer.allowed ? 'allows' : 'refuses'} it`];
    if (access === null || layout === null || answer.translated === null) return [];
    if (access.fieldSize > size) return []; // cut out of the whole field by the rewrite, which has tests of its own
    const opcode = (write ? 0x63 : 0x61) | [0x10, 0x08, 0x00, 0x18][Math.log2(size)]!;
    const code = layout.convert(opcode, dst, src, offset, 0, access.notes) ?? unchanged(opcode, answer);
    const hex = Buffer.from(code).toString('hex');
    // The rewrites extend what conversions wrote, where the JIT wants it: they have tests of their own, too.
    const live = profile.behaviour.zeroExtendsResults ? withoutZeroExtension(answer.translated) : answer.translated;
    return hex === live ? [] : [`${where}, r${dst}, r${src}: ${live} is not ${hex}`];
  });
}

const INSTRUCTION_BYTES = 8;

/** Instructions in hexadecimal without those that only extend a result (`w0 = w0` with the immediate 1); jumps go where they went. */
function withoutZeroExtension(hex: string): string {
  const all = Instructions.from(Buffer.from(hex, 'hex'));
  const isExtension = (i: number): boolean => {
    return all.opcode(i) === (isa.ALU | isa.MOV | isa.X) && all.dst(i) === all.src(i) && all.imm(i) === 1;
  };
  // Where each instruction comes to stand; one that goes, where the next one does.
  const places: number[] = [];
  let kept = 0;
  for (let i = 0; i <= all.length; i++) {
    places.push(kept);
    if (i < all.length && !isExtension(i)) kept++;
  }
  const out = Buffer.alloc(kept * INSTRUCTION_BYTES);
  for (let i = 0; i < all.length; i++) {
    if (isExtension(i)) continue;
    const at = places[i]! * INSTRUCTION_BYTES;
    out.set(all.bytes.subarray(i * INSTRUCTION_BYTES, (i + 1) * INSTRUCTION_BYTES), at);
    const cls = all.opcode(i) & isa.CLASS_MASK;
    const target = i + 1 + all.off(i);
    if ((cls === isa.JMP || cls === isa.JMP32) && places[target] !== undefined) {
      out.writeInt16LE(places[target] - places[i]! - 1, at + 2);
    }
  }
  return out.toString('hex');
}

function unchanged(opcode: number, { dst, src, offset }: ContextAnswer): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes[0] = opcode;
  bytes[1] = dst | (src << 4);
  bytes.writeInt16LE(offset, 2);
  return bytes;
}
