/** Line information (struct bpf_line_info): rising offsets, strings that exist, and a line for every subprogram's start. */
import { TYPE_INFO } from '../refusals/type-info.js';
import { refuse } from '../refusals/refuse.js';
import type { LineInfo } from '../../load/program.js';
import type { Env } from '../env.js';

function checkRecord(env: Env, i: number, record: LineInfo, previous: number): number {
  const { insns, btf } = env;
  if ((i > 0 && record.instruction <= previous) || record.instruction >= insns.length) {
    return refuse(env, TYPE_INFO.lineInfoOrder, i, record.instruction, previous, insns.length);
  }
  if (insns.opcode(record.instruction) === 0) {
    return refuse(env, TYPE_INFO.lineInfoInsideConstant, i);
  }
  const end = btf === null ? 0 : btf.stringEnd;
  if (record.lineOff >= end || record.fileNameOff >= end) {
    return refuse(env, TYPE_INFO.lineInfoStrings, i);
  }
  return 0;
}

/** Checks the program's line information; each subprogram must have one for its first instruction. */
export function checkLineInfo(env: Env): number {
  const { lineInfo } = env.program;
  if (lineInfo.length === 0) return 0;
  let next = 0; // the subprogram whose first line is still to come
  let previous = 0;
  for (const [i, record] of lineInfo.entries()) {
    const err = checkRecord(env, i, record, previous);
    if (err !== 0) return err;
    const subprogram = env.subprograms[next];
    if (subprogram !== undefined) {
      if (record.instruction === subprogram.start) next++;
      else if (subprogram.start < record.instruction) {
        return refuse(env, TYPE_INFO.lineInfoMissing, next);
      }
    }
    previous = record.instruction;
  }
  if (next !== env.subprograms.length) {
    const missing = env.subprograms.length - next;
    return refuse(env, TYPE_INFO.lineInfoMissingRest, missing, next);
  }
  env.lineInfo = lineInfo;
  return 0;
}
