/**
 * Programs that outgrow 16-bit jumps: a jump over `divisions` divisions, each of which the kernel replaces by four
 * instructions. As a program, it prints the job file that the recorded answers are the oracle's to:
 *
 *     npx tsx test/golden/wide-jobs.ts > DIR/wide.jobs && record DIR out.jsonl
 */
import { fileURLToPath } from 'node:url';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';

/** What Linux 6.12.117 said: errno, and the log's sentence. */
export const WIDE_ANSWERS: readonly (readonly [divisions: number, errno: number, message: string])[] = [
  [8191, 0, ''],
  [8192, -12, 'insn 8195 cannot be patched due to 16-bit range'],
  [8200, -12, 'insn 8193 cannot be patched due to 16-bit range'],
];

export function wideProgram(divisions: number): Instructions {
  const insns = Instructions.alloc(divisions + 6);
  insns.set(0, isa.JMP | isa.CALL, 0, 0, 0, 7); // r0 = random
  insns.set(1, isa.ALU64 | isa.MOV | isa.X, 6, 0, 0, 0);
  insns.set(2, isa.JMP | isa.CALL, 0, 0, 0, 5); // r0 = time
  insns.set(3, isa.JMP | isa.JNE | isa.K, 6, 0, divisions, 5);
  for (let i = 0; i < divisions; i++) insns.set(4 + i, isa.ALU64 | isa.DIV | isa.X, 0, 6, 0, 0);
  insns.set(divisions + 4, isa.ALU64 | isa.MOV | isa.K, 0, 0, 0, 0);
  insns.set(divisions + 5, isa.JMP | isa.EXIT, 0, 0, 0, 0);
  return insns;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [divisions] of WIDE_ANSWERS) {
    const hex = Buffer.from(wideProgram(divisions).bytes).toString('hex');
    console.log(`name=wide${divisions}\ntype=1\nlog_level=1\ninsns=${hex}\n`);
  }
}
