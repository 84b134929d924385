/** Line information (struct bpf_line_info): rising offsets, strings that exist, and a line for every subprogram's start. */
import type { LineInfo } from '../../load/program.js';
import type { Env } from '../env.js';
import { EINVAL } from '../errno.js';

function checkRecord(env: Env, i: number, record: LineInfo, previous: number): number {
  const { insns, btf } = env;
  if ((i > 0 && record.instruction <= previous) || record.instruction >= insns.length) {
    const place = `(prev_offset:${previous} prog->len:${insns.length})`;
    env.log.write(`Invalid line_info[${i}].insn_off:${record.instruction} ${place}\n`);
    return -EINVAL;
  }
  if (insns.opcode(record.instruction) === 0) {
    env.log.write(`Invalid insn code at line_info[${i}].insn_off\n`);
    return -EINVAL;
  }
  const end = btf === null ? 0 : btf.stringEnd;
  if (record.lineOff >= end || record.fileNameOff >= end) {
    env.log.write(`Invalid line_info[${i}].line_off or .file_name_off\n`);
    return -EINVAL;
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
        env.log.write(`missing bpf_line_info for func#${next}\n`);
        return -EINVAL;
      }
    }
    previous = record.instruction;
  }
  if (next !== env.subprograms.length) {
    const missing = env.subprograms.length - next;
    env.log.write(`missing bpf_line_info for ${missing} funcs starting from func#${next}\n`);
    return -EINVAL;
  }
  env.lineInfo = lineInfo;
  return 0;
}
