/**
 * The conversions that bpf_snprintf and bpf_trace_printk know (Documentation of the helpers in uapi/linux/bpf.h):
 *
 *     % [0 +-]* [1-9][0-9]* ( c | s | p… | [l[l]](i|d|u|x|X) )
 *     p…: p at the end of a word, pK px ps pS pB, pks pus, pi4 pi6 pI4 pI6
 */
const PERCENT = 0x25;

function isSpace(c: number): boolean {
  return c === 0x20 || (c >= 9 && c <= 13) || c === 0xa0; // as the kernel's ctype table has it
}
function isPunctuation(c: number): boolean {
  return (
    (c > 0x20 && c < 0x30) ||
    (c > 0x39 && c < 0x41) ||
    (c > 0x5a && c < 0x61) ||
    (c > 0x7a && c < 0x7f) ||
    isHighPunctuation(c)
  );
}
/** Latin-1 signs count as punctuation in the kernel. */
function isHighPunctuation(c: number): boolean {
  return (c > 0xa0 && c < 0xc0) || c === 0xd7 || c === 0xf7;
}
function isPrintable(c: number): boolean {
  return c >= 0x20 && c < 0x7f;
}
function endsWord(c: number): boolean {
  return c === 0 || isSpace(c) || isPunctuation(c);
}
function isOneOf(c: number, characters: string): boolean {
  return c !== 0 && characters.includes(String.fromCharCode(c));
}

/** Position of the last character of the pointer conversion whose `p` is at `i`; -1 where it is none. */
function pointerEnd(at: (k: number) => number, i: number): number {
  const next = at(i + 1);
  if (endsWord(next)) return i;
  if (isOneOf(next, 'ku') && at(i + 2) === 0x73) return endsWord(at(i + 3)) ? i + 2 : -1;
  if (isOneOf(next, 'KxsSB')) return i + 1;
  return isOneOf(next, 'iI') && isOneOf(at(i + 2), '46') ? i + 2 : -1;
}

/** Position of the last character of the conversion that begins behind the `%` at `i - 1`; -1 where it is none. */
function conversionEnd(at: (k: number) => number, i: number): number {
  if (at(i) >= 0x80) return -1;
  while (isOneOf(at(i), '0+- ')) i++;
  if (isOneOf(at(i), '123456789'))
    do i++;
    while (isOneOf(at(i), '0123456789'));
  const c = at(i);
  if (isOneOf(c, 'p')) return pointerEnd(at, i);
  if (isOneOf(c, 's')) return endsWord(at(i + 1)) ? i : -1;
  if (isOneOf(c, 'c')) return i;
  if (isOneOf(at(i), 'l')) i++;
  if (isOneOf(at(i), 'l')) i++;
  return isOneOf(at(i), 'iduxX') ? i : -1;
}

/** Whether the format holds at most `argumentCount` conversions, all of them known, and no control characters. */
export function isFormatValid(format: Uint8Array, argumentCount: number): boolean {
  const at = (k: number): number => format[k] ?? 0;
  let conversions = 0;
  for (let i = 0; i < format.length; i++) {
    const c = at(i);
    if (c < 0x80 && !isPrintable(c) && !isSpace(c)) return false;
    if (c !== PERCENT) continue;
    if (at(i + 1) === PERCENT) {
      i++;
      continue;
    }
    if (conversions >= argumentCount) return false;
    i = conversionEnd(at, i + 1);
    if (i < 0) return false;
    conversions++;
  }
  return true;
}
