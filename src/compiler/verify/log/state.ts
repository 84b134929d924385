/** Frames as the log shows them: " R0=… R1_w=… fp-8=…" (print_verifier_state, Linux 6.12). */
import type { Env } from '../env.js';
import { allOfKind, STACK_DYNPTR, STACK_INVALID, STACK_ITER, STACK_SPILL } from '../state.js';
import type { Frame, ReadonlyReg, ReadonlySlot } from '../state.js';
import * as t from '../../targets/types.js';
import { dynptrTypeName, iterText, regText } from './register.js';
import { markStateClean, regScratched, stackSlotScratched } from './scratch.js';

/** A letter for each kind of byte. */
const BYTE_LETTERS = '?rm0di';

function livenessText(isRead: boolean, isWritten: boolean): string {
  return (isRead || isWritten ? '_' : '') + (isRead ? 'r' : '') + (isWritten ? 'w' : '');
}

function dynptrText(reg: ReadonlyReg): string {
  const list: string[] = [];
  if (reg.id !== 0) list.push(`id=${reg.id}`);
  if (reg.refObjId !== 0) list.push(`ref_id=${reg.refObjId}`);
  if (reg.dynptrFirst) list.push('dynptr_id=1'); // the kernel reads this mark as an id: both lie in one union
  return `dynptr_${dynptrTypeName(reg.dynptrType)}(${list.join(',')})`;
}

function byteLetters(slot: ReadonlySlot): string {
  let text = '';
  for (let i = 0; i < 8; i++) text += BYTE_LETTERS[slot.kind(i)] ?? '';
  return text;
}

function slotText(env: Env, frame: Frame, i: number): string {
  const slot = frame.stack[i]!;
  const reg = slot.spilled;
  switch (slot.kind(7)) {
    case STACK_SPILL: {
      // Bytes in front of a narrow spill.
      const letters = byteLetters(slot);
      return letters.slice(0, letters.indexOf('r')) + regText(reg, frame.isSlotPrecise(i) || !env.capable, frame);
    }
    case STACK_DYNPTR:
      return dynptrText(reg);
    case STACK_ITER:
      return iterText(reg);
    default:
      return byteLetters(slot);
  }
}

function isUnused(slot: ReadonlySlot): boolean {
  return slot.kinds === allOfKind(STACK_INVALID);
}

function stackText(env: Env, frame: Frame, all: boolean): string {
  const { live } = frame;
  let text = '';
  for (let i = 0; i < frame.stack.length; i++) {
    if (!all && !stackSlotScratched(env, i)) continue;
    if (isUnused(frame.stack[i]!)) continue;
    const kind = frame.stack[i]!.kind(7);
    // The first slot of a dynptr is the higher one; only the main slot of an iterator tells of it.
    if (kind === STACK_DYNPTR && i + 1 < frame.stack.length) i++;
    const slot = frame.stack[i]!;
    if (kind === STACK_ITER && slot.spilled.refObjId === 0) continue;
    text += ` fp${-(i + 1) * 8}${livenessText(live.isSlotRead(i), live.isSlotWritten(i))}=${slotText(env, frame, i)}`;
  }
  return text;
}

/** Writes one frame's state and a line end; only what changed, unless `all`, and then nothing counts as changed. */
export function printState(env: Env, frame: Frame, all: boolean): void {
  if (env.log.level === 0) return;
  let text = frame.frameno === 0 ? '' : ` frame${frame.frameno}:`;
  for (let i = 0; i < 11; i++) {
    const reg = frame.regs[i]!;
    if (reg.type === t.NOT_INIT || (!all && !regScratched(env, i))) continue;
    text += ` R${i}${livenessText(frame.live.isRegRead(i), frame.live.isRegWritten(i))}=${regText(reg, frame.isRegPrecise(i) || !env.capable, frame)}`;
  }
  text += stackText(env, frame, all);
  const ids = frame.references.filter((r) => r.id !== 0).map((r) => r.id);
  if (ids.length > 0 && frame.references[0]!.id !== 0) text += ` refs=${ids.join(',')}`;
  if (frame.inCallbackFn) text += ' cb';
  if (frame.inAsyncCallbackFn) text += ' async_cb';
  env.log.write(`${text}\n`);
  if (!all) markStateClean(env);
}

const ALIGNMENT = 40;
const MIN_ALIGNMENT = 8;

/** Blanks between an instruction's text and the state behind it. */
function padding(position: number): string {
  const from = Math.max(position + MIN_ALIGNMENT / 2, ALIGNMENT);
  return ' '.repeat(Math.ceil(from / MIN_ALIGNMENT) * MIN_ALIGNMENT - position - 1);
}

/** Writes what changed: behind the instruction if that was printed last, else on a line of its own. */
export function printInsnState(env: Env, frame: Frame): void {
  if (env.log.level === 0) return;
  if (env.prevLogPosition !== 0 && env.prevLogPosition === env.log.position) {
    env.log.reset(env.prevLogPosition - 1);
    env.log.write(`${padding(env.prevInsnPrintLength)};`);
  } else env.log.write(`${env.insnIdx}:`);
  printState(env, frame, false);
}
