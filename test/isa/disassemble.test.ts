import t from 'tap';
import { disassemble } from '../../src/compiler/isa/disassemble.js';
import { hex64 } from '../../src/compiler/verify/log/numbers.js';
import { assemble } from '../verify/assembler.js';
import { caseFiles, readCases } from '../verify/cases.js';

/** `12: (b7) r0 = 0   ; R0_w=0`: an instruction as the kernel printed it. */
const PRINTED = /^(\d+): (\([0-9a-f]{2}\) .*?) *(?:;.*)?$/;

t.test('every instruction in the recorded logs reads as the kernel prints it', (t) => {
  let compared = 0;
  for (const file of caseFiles()) {
    for (const test of readCases(file)) {
      // At level 1 what is cut off the log may end within a line.
      if (test.logLevel === 1) continue;
      const insns = assemble(test.code);
      for (const line of test.log ?? []) {
        const match = PRINTED.exec(line);
        if (match === null || line.includes('= MAP')) continue;
        const printed = match[2]!;
        const text = disassemble(insns, Number(match[1]), {
          helper: () => /call bpf_(\w+)#/.exec(printed)?.[1] ?? null,
          kernelFunction: () => '',
          immediate: (i) => hex64(insns.imm(i + 1), insns.imm(i)),
        });
        compared++;
        if (text.trimEnd() !== printed) t.equal(text.trimEnd(), printed, `${test.name}: ${line}`);
      }
    }
  }
  t.ok(compared > 500, `${compared} instructions compared`);
  t.end();
});

t.test('what the kernel has no text for', (t) => {
  const insns = assemble(['exit', 'exit']);
  const names = { helper: () => null, kernelFunction: () => '', immediate: () => '' };
  insns.setOpcode(0, 0x8d); // a jump class opcode without a name
  t.equal(disassemble(insns, 0, names), '(8d) call unknown#0\n');
  insns.setOpcode(0, 0xc2);
  t.equal(disassemble(insns, 0, names), '(c2) nospec\n');
  insns.setOpcode(0, 0x22);
  t.equal(disassemble(insns, 0, names), 'BUG_st_22\n');
  insns.setOpcode(0, 0x41);
  t.equal(disassemble(insns, 0, names), 'BUG_ldx_41\n');
  t.end();
});
