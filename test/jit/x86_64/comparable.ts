/** Code and exception tables in one form, ours and the kernel's. */
import type { CompiledFunction } from '../../../src/compiler/jit/program.js';
import type { RecordedFunction } from '../corpus.js';

export interface Comparable {
  readonly code: string;
  readonly table: readonly (readonly [offset: number, resume: number, register: number | null, raw: string])[];
  readonly tableOffset: number;
}

export function comparable(fn: CompiledFunction): Comparable {
  return {
    code: Buffer.from(fn.code).toString('hex'),
    table: fn.exceptionTable.map(({ offset, resume, register, registerName, raw }) => {
      return [offset, resume, registerName === '' ? null : register, Buffer.from(raw).toString('hex')];
    }),
    tableOffset: fn.exceptionTableOffset,
  };
}

export function kernelsOwn(fn: RecordedFunction): Comparable {
  return {
    code: fn.code,
    table: fn.extable.map(({ offset, resume, register, raw }) => [offset, resume, register, raw]),
    tableOffset: fn.extable_offset ?? 0,
  };
}
