/** A program that grows until a jump no longer reaches is refused with the kernel's words (recorded: wide-jobs.ts). */
import t from 'tap';
import type { Program } from '../../src/compiler/load/program.js';
import { rewrite } from '../../src/compiler/rewrite/rewrite.js';
import { ALL_CAPABILITIES } from '../../src/compiler/targets/capabilities.js';
import { BPF_PROG_TYPE_SOCKET_FILTER } from '../../src/compiler/targets/uapi.js';
import { verify } from '../../src/compiler/verify/verify.js';
import { loadProfile } from '../../src/service/targets.js';
import { WIDE_ANSWERS, wideProgram } from '../golden/wide-jobs.js';

const profile = await loadProfile('linux-6.12-arm64');

function program(divisions: number): Program {
  return {
    name: 'wide',
    functionName: 'wide',
    section: '',
    type: BPF_PROG_TYPE_SOCKET_FILTER,
    expectedAttachType: 0,
    capabilities: ALL_CAPABILITIES,
    flags: 0,
    license: 'GPL',
    kernVersion: 0,
    instructions: wideProgram(divisions),
    maps: [],
    btf: null,
    funcInfo: [],
    lineInfo: [],
    attachBtfId: 0,
    attachBtf: null,
    attachProgram: null,
  };
}

for (const [divisions, errno, message] of WIDE_ANSWERS) {
  t.test(`${divisions} divisions`, async (t) => {
    const { verified, log } = verify(program(divisions), profile, { logLevel: 1 });
    if (verified === null) throw new Error(log);
    const result = rewrite(verified);
    t.equal(result.ok ? 0 : result.failure.errno, errno);
    t.equal(result.ok ? '' : result.failure.message, message);
  });
}
