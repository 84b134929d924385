/** Registers as the log shows them (kernel/bpf/log.c, Linux 6.12). */
import * as t from '../../targets/types.js';
import { ADD_CONST } from '../state.js';
import type { Frame, ReadonlyReg } from '../state.js';
import { isShortSigned, signedText, tnumText, unsignedText } from './numbers.js';

const TYPE_NAMES: readonly string[] = (() => {
  const names: string[] = [];
  names[t.NOT_INIT] = '?';
  names[t.SCALAR_VALUE] = 'scalar';
  names[t.PTR_TO_CTX] = 'ctx';
  names[t.CONST_PTR_TO_MAP] = 'map_ptr';
  names[t.PTR_TO_MAP_VALUE] = 'map_value';
  names[t.PTR_TO_STACK] = 'fp';
  names[t.PTR_TO_PACKET] = 'pkt';
  names[t.PTR_TO_PACKET_META] = 'pkt_meta';
  names[t.PTR_TO_PACKET_END] = 'pkt_end';
  names[t.PTR_TO_FLOW_KEYS] = 'flow_keys';
  names[t.PTR_TO_SOCKET] = 'sock';
  names[t.PTR_TO_SOCK_COMMON] = 'sock_common';
  names[t.PTR_TO_TCP_SOCK] = 'tcp_sock';
  names[t.PTR_TO_TP_BUFFER] = 'tp_buffer';
  names[t.PTR_TO_XDP_SOCK] = 'xdp_sock';
  names[t.PTR_TO_BTF_ID] = 'ptr_';
  names[t.PTR_TO_MEM] = 'mem';
  names[t.PTR_TO_ARENA] = 'arena';
  names[t.PTR_TO_BUF] = 'buf';
  names[t.PTR_TO_FUNC] = 'func';
  names[t.PTR_TO_MAP_KEY] = 'map_key';
  names[t.CONST_PTR_TO_DYNPTR] = 'dynptr_ptr';
  return names;
})();

/** A register type with its flags: "rdonly_mem_or_null" (reg_type_str). */
export function regTypeName(type: number): string {
  let prefix = '';
  if ((type & t.MEM_RDONLY) !== 0) prefix += 'rdonly_';
  if ((type & t.MEM_RINGBUF) !== 0) prefix += 'ringbuf_';
  if ((type & t.MEM_USER) !== 0) prefix += 'user_';
  if ((type & t.MEM_PERCPU) !== 0) prefix += 'percpu_';
  if ((type & t.MEM_RCU) !== 0) prefix += 'rcu_';
  if ((type & t.PTR_UNTRUSTED) !== 0) prefix += 'untrusted_';
  if ((type & t.PTR_TRUSTED) !== 0) prefix += 'trusted_';
  const base = type & t.BASE_MASK;
  let suffix = '';
  if ((type & t.PTR_MAYBE_NULL) !== 0) suffix = base === t.PTR_TO_BTF_ID ? 'or_null_' : '_or_null';
  return prefix + (TYPE_NAMES[base] ?? '') + suffix;
}

const DYNPTR_NAMES = ['<invalid>', 'local', 'ringbuf', 'skb', 'xdp'];

export function dynptrTypeName(type: number): string {
  return DYNPTR_NAMES[type] ?? '<unknown>';
}

const ITER_STATE_NAMES = ['<invalid>', 'active', 'drained'];

/** "num" of struct bpf_iter_num, with its state and depth. */
export function iterText(reg: ReadonlyReg): string {
  const type =
    reg.btf === null || reg.btfId === 0 ? '<invalid>' : reg.btf.typeName(reg.btfId).slice('bpf_iter_'.length);
  const state = ITER_STATE_NAMES[reg.iterState] ?? '<unknown>';
  return `iter_${type}(ref_id=${reg.refObjId},state=${state},depth=${reg.iterDepth})`;
}

/** Bounds in the order of the log: each pair of 64 bits before its 32-bit counterpart. */
const BOUND_NAMES = ['smin', 'smax', 'umin', 'umax', 'smin32', 'smax32', 'umin32', 'umax32'];
/** Bounds that say nothing: a bit of `omit` each. */
const ALL_OMITTED = 0xff;

/** Which bounds say nothing, as bits in the order of BOUND_NAMES. */
function omittedBounds(reg: ReadonlyReg): number {
  let omit = 0;
  if (reg.sminHi === -0x80000000 && reg.sminLo === 0) omit |= 1;
  if (reg.smaxHi === 0x7fffffff && reg.smaxLo === -1) omit |= 2;
  if ((reg.uminHi | reg.uminLo) === 0) omit |= 4;
  if ((reg.umaxHi & reg.umaxLo) === -1) omit |= 8;
  if (reg.s32min === -0x80000000) omit |= 16;
  if (reg.s32max === 0x7fffffff) omit |= 32;
  if (reg.u32min === 0) omit |= 64;
  if (reg.u32max === -1) omit |= 128;
  return omit;
}

/** A signed 32-bit bound is extended only where it is written in decimal, so that it meets its 64-bit counterpart. */
function extend32(value: number): number {
  return isShortSigned(value >> 31, value) ? value >> 31 : 0;
}

/** ",smin=…,smax=umax=…": bounds of the same value are named together, negative and positive ones apart. */
function rangesText(reg: ReadonlyReg, separator: string): string {
  let omit = omittedBounds(reg);
  if (omit === ALL_OMITTED) return '';
  const lo = [reg.sminLo, reg.smaxLo, reg.uminLo, reg.umaxLo, reg.s32min, reg.s32max, reg.u32min, reg.u32max];
  const hi = [reg.sminHi, reg.smaxHi, reg.uminHi, reg.umaxHi, extend32(reg.s32min), extend32(reg.s32max), 0, 0];
  let text = '';
  let sep = separator;
  for (let i = 0; i < 8; i++) {
    if ((omit & (1 << i)) !== 0) continue;
    const signed = (i & 2) === 0;
    const negative = signed && hi[i]! < 0;
    text += `${sep}${BOUND_NAMES[i]!}=`;
    sep = ',';
    for (let k = i + 2; k < 8; k += 2) {
      if ((omit & (1 << k)) !== 0 || lo[k] !== lo[i] || hi[k] !== hi[i]) continue;
      if (((k & 2) === 0 && hi[k]! < 0) !== negative) continue;
      omit |= 1 << k;
      text += `${BOUND_NAMES[k]!}=`;
    }
    text += signed ? signedText(hi[i]!, lo[i]!) : unsignedText(hi[i]!, lo[i]!);
  }
  return text;
}

function isConst(reg: ReadonlyReg): boolean {
  return (reg.maskHi | reg.maskLo) === 0;
}

/** Known value plus fixed offset, as halves of a 64-bit sum. */
function offsetText(reg: ReadonlyReg): string {
  const low = (reg.valueLo >>> 0) + (reg.off >>> 0);
  const hi = (reg.valueHi + (reg.off >> 31) + (low > 0xffffffff ? 1 : 0)) | 0;
  return signedText(hi, low | 0);
}

/** What is said of the variable part of a pointer's offset, or of a scalar. */
function valueText(reg: ReadonlyReg, separator: string): string {
  if (isConst(reg)) {
    if ((reg.valueHi | reg.valueLo) === 0) return '';
    return `${separator}imm=${signedText(reg.valueHi, reg.valueLo)}`;
  }
  const ranges = rangesText(reg, separator);
  const sep = ranges === '' ? separator : ',';
  const unknown = (reg.valueHi | reg.valueLo) === 0 && (reg.maskHi & reg.maskLo) === -1;
  return unknown ? ranges : `${ranges}${sep}var_off=${tnumText(reg.valueHi, reg.valueLo, reg.maskHi, reg.maskLo)}`;
}

/** The list in parentheses behind a register's type. */
function attributesText(reg: ReadonlyReg): string {
  const { type } = reg;
  const base = type & t.BASE_MASK;
  const list: string[] = [];
  if (reg.id !== 0) list.push(`id=${reg.id & ~ADD_CONST}`);
  let text = list.join('');
  if ((reg.id & ADD_CONST) !== 0) text += (reg.off >= 0 ? '+' : '') + String(reg.off);
  const add = (item: string): void => {
    text += text === '' ? item : `,${item}`;
  };
  if (reg.refObjId !== 0) add(`ref_obj_id=${reg.refObjId}`);
  if (base === t.PTR_TO_BTF_ID && (type & t.MEM_ALLOC) !== 0 && (type & t.NON_OWN_REF) !== 0) add('non_own_ref');
  if (base === t.CONST_PTR_TO_MAP || base === t.PTR_TO_MAP_KEY || base === t.PTR_TO_MAP_VALUE) {
    const spec = reg.map?.spec;
    if (spec !== undefined) {
      if (spec.name !== '') add(`map=${spec.name}`);
      add(`ks=${spec.keySize},vs=${spec.valueSize}`);
    }
  }
  if (type !== t.SCALAR_VALUE && reg.off !== 0) add(`off=${signedText(reg.off >> 31, reg.off)}`);
  if (base === t.PTR_TO_PACKET || base === t.PTR_TO_PACKET_META) add(`r=${unsignedText(reg.range >> 31, reg.range)}`);
  if (base === t.PTR_TO_MEM) add(`sz=${unsignedText(0, reg.memSize | 0)}`);
  if (type === t.CONST_PTR_TO_DYNPTR) add(`type=${dynptrTypeName(reg.dynptrType)}`);
  return text + valueText(reg, text === '' ? '' : ',');
}

/** A register's state, as it stands behind "R1=" (print_reg_state). `frame` is the frame it is shown in. */
export function regText(reg: ReadonlyReg, precise: boolean, frame: Frame): string {
  const { type } = reg;
  if (type === t.SCALAR_VALUE && isConst(reg)) return (precise ? 'P' : '') + signedText(reg.valueHi, reg.valueLo);
  let text = (type === t.SCALAR_VALUE && precise ? 'P' : '') + regTypeName(type);
  if (type === t.PTR_TO_ARENA) return text;
  if (type === t.PTR_TO_STACK) {
    if (frame.frameno !== reg.frame) text += `[${reg.frame}]`;
    if (isConst(reg)) return text + offsetText(reg);
  }
  if ((type & t.BASE_MASK) === t.PTR_TO_BTF_ID && reg.btf !== null) text += reg.btf.typeName(reg.btfId);
  return `${text}(${attributesText(reg)})`;
}
