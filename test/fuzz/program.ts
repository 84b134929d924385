/**
 * Programs that look valid: a generator that follows, roughly, what each register holds, so that most of what it writes
 * gets past the first instructions and some of it is just barely wrong. Output is text for verify/assembler.ts.
 */
import { Random } from './random.js';

export interface FuzzMap {
  readonly type: number;
  readonly key: number;
  readonly value: number;
  readonly entries: number;
}

export interface FuzzProgram {
  readonly type: number;
  readonly attachType: number;
  readonly flags: number;
  readonly maps: readonly FuzzMap[];
  readonly code: readonly string[];
}

export type Kind = 'none' | 'scalar' | 'ctx' | 'stack' | 'value' | 'maybe' | 'packet' | 'end';

/** Context fields that most loads of it go to: offset, bits, what the load gives. */
export interface Context {
  readonly type: number;
  readonly attachType: number;
  readonly fields: readonly (readonly [off: number, bits: number, kind: Kind])[];
}

const CONTEXTS: readonly Context[] = [
  { type: 1, attachType: 0, fields: [[0, 32, 'scalar'], [4, 32, 'scalar'], [16, 32, 'scalar'], [48, 32, 'scalar']] }, // prettier-ignore
  { type: 3, attachType: 0, fields: [[0, 32, 'scalar'], [8, 32, 'scalar'], [76, 32, 'packet'], [80, 32, 'end']] }, // prettier-ignore
  { type: 6, attachType: 0, fields: [[0, 32, 'packet'], [4, 32, 'end'], [12, 32, 'scalar']] }, // prettier-ignore
  { type: 2, attachType: 0, fields: [[0, 64, 'scalar'], [8, 64, 'scalar'], [104, 64, 'scalar']] }, // prettier-ignore
  { type: 5, attachType: 0, fields: [[8, 64, 'scalar'], [16, 64, 'scalar'], [24, 32, 'scalar']] }, // prettier-ignore
  { type: 8, attachType: 0, fields: [[0, 32, 'scalar'], [76, 32, 'packet'], [80, 32, 'end']] }, // prettier-ignore
];

export const MAPS: readonly FuzzMap[] = [
  { type: 2, key: 4, value: 48, entries: 4 },
  { type: 1, key: 8, value: 24, entries: 8 },
  { type: 6, key: 4, value: 16, entries: 2 },
];

const ALU = ['+=', '-=', '*=', '&=', '|=', '^=', '<<=', '>>=', 's>>=', '/=', '%='];
const JUMPS = ['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'];
const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 47, 48, 63, 64, 255, 256, 4096, 65535, -1, -8, -16, 0x7fffffff];
const BITS = [8, 16, 32, 64];

/** Writes one program; subclasses add steps of their own. */
export class Generator {
  protected readonly code: string[] = [];
  protected slots = 0;
  protected kinds: Kind[] = new Array<Kind>(11).fill('none');
  /** Stack slots known to be written: offset from the frame pointer. */
  protected readonly written = new Set<number>();
  /** Jumps whose target is still to come: line and the slot it must reach at least. */
  protected readonly open: { line: number; from: number; until: number }[] = [];
  protected readonly callsOpen: { line: number; from: number }[] = [];
  protected readonly context: Context;

  constructor(
    protected readonly random: Random,
    contexts: readonly Context[] = CONTEXTS,
  ) {
    this.context = random.pick(contexts);
    this.kinds[1] = 'ctx';
    this.kinds[10] = 'stack';
  }

  protected emit(line: string, slots = 1): void {
    this.code.push(line);
    this.slots += slots;
    for (let k = this.open.length - 1; k >= 0; k--) {
      const jump = this.open[k]!;
      if (this.slots < jump.until) continue;
      this.code[jump.line] = this.code[jump.line]!.replace('pc+?', `pc+${this.slots - jump.from - 1}`);
      this.open.splice(k, 1);
    }
  }

  protected with(...kinds: readonly Kind[]): number {
    const list: number[] = [];
    for (let r = 0; r < 10; r++) if (kinds.includes(this.kinds[r]!)) list.push(r);
    // Now and then something unfit.
    if (list.length === 0 || this.random.oneIn(60)) return this.random.below(11);
    return this.random.pick(list);
  }

  protected target(): number {
    return this.random.below(10);
  }

  protected set(register: number, kind: Kind): void {
    if (register < 10) this.kinds[register] = kind;
  }

  protected immediate(): number {
    return this.random.oneIn(3) ? this.random.below(200) - 50 : this.random.pick(INTERESTING);
  }

  protected moveConstant(): void {
    const r = this.target();
    if (this.random.oneIn(6)) this.emit(`r${r} = 0x${this.random.below(0x7fffffff).toString(16)}80000001 ll`, 2);
    else this.emit(`${this.random.oneIn(3) ? 'w' : 'r'}${r} = ${this.immediate()}`);
    this.set(r, 'scalar');
  }

  protected move(): void {
    const from = this.with('scalar', 'ctx', 'stack', 'value', 'maybe', 'packet', 'end');
    const to = this.target();
    if (this.kinds[from] === 'scalar' && this.random.oneIn(3)) {
      const form = this.random.pick(['w# = w$', 'r# = (s8)r$', 'r# = (s16)r$', 'r# = (s32)r$', 'w# = (s8)w$']);
      this.emit(form.replace('#', String(to)).replace('$', String(from)));
    } else this.emit(`r${to} = r${from}`);
    this.set(to, this.kinds[from] ?? 'none');
  }

  protected arithmetic(): void {
    const r = this.with('scalar');
    const w = this.random.oneIn(3) ? 'w' : 'r';
    const operation = this.random.pick(ALU);
    const isShift = operation.includes('<') || operation.includes('>');
    if (!isShift && this.random.oneIn(2)) this.emit(`${w}${r} ${operation} ${w}${this.with('scalar')}`);
    else if (isShift) this.emit(`${w}${r} ${operation} ${this.random.below(w === 'w' ? 32 : 64)}`);
    else {
      const value = this.immediate();
      this.emit(`${w}${r} ${operation} ${value === 0 && (operation === '/=' || operation === '%=') ? 3 : value}`);
    }
    this.set(r, 'scalar');
  }

  protected pointerArithmetic(): void {
    const r = this.with('value', 'packet', 'stack');
    if (r === 10) return;
    if (this.random.oneIn(2)) {
      const index = this.with('scalar');
      if (!this.random.oneIn(5)) this.emit(`r${index} &= ${this.random.pick([7, 15, 31, 8, 3])}`);
      this.emit(`r${r} += r${index}`);
    } else this.emit(`r${r} += ${this.random.pick([1, 4, 8, 14, 16, -4, -8, 40])}`);
  }

  protected stackStore(): void {
    const off = -8 * (1 + this.random.below(6));
    if (this.random.oneIn(3)) this.emit(`*(u${this.random.pick(BITS)} *)(r10 ${off}) = ${this.immediate()}`);
    else {
      const from = this.with('scalar', 'ctx', 'value', 'packet', 'maybe');
      this.emit(`*(u${this.kinds[from] === 'scalar' ? this.random.pick(BITS) : 64} *)(r10 ${off}) = r${from}`);
    }
    this.written.add(off);
  }

  protected stackLoad(): void {
    const off = this.written.size > 0 ? this.random.pick([...this.written]) : -8;
    const to = this.target();
    this.emit(`r${to} = *(u${this.random.pick([64, 64, 32, 16, 8])} *)(r10 ${off})`);
    this.set(to, 'scalar');
  }

  protected contextLoad(): void {
    const from = this.with('ctx');
    const [off, bits, kind] = this.random.pick(this.context.fields);
    const to = this.target();
    this.emit(`r${to} = *(u${this.random.oneIn(20) ? 8 : bits} *)(r${from} +${off})`);
    this.set(to, kind);
  }

  protected memoryAccess(): void {
    const r = this.with('value', 'packet');
    const off = this.random.pick([0, 0, 4, 8, 13, 16, 40]);
    const bits = this.random.pick(BITS);
    if (this.random.oneIn(3)) {
      this.emit(`*(u${bits} *)(r${r} +${off}) = r${this.with('scalar')}`);
      return;
    }
    const to = this.target();
    const signed = bits !== 64 && this.random.oneIn(4) ? 's' : 'u';
    this.emit(`r${to} = *(${signed}${bits} *)(r${r} +${off})`);
    this.set(to, 'scalar');
  }

  protected atomic(): void {
    const base = this.random.oneIn(2) ? `r10 ${-8 * (1 + this.random.below(3))}` : `r${this.with('value')} +0`;
    const bits = this.random.pick([32, 64]);
    const src = this.with('scalar');
    const wide = bits === 64 ? '64' : '';
    const kind = this.random.pick(['lock', 'fetch_add', 'fetch_or', 'xchg', 'cmpxchg']);
    if (kind === 'lock') this.emit(`lock *(u${bits} *)(${base}) += r${src}`);
    else if (kind === 'cmpxchg') this.emit(`r0 = atomic${wide}_cmpxchg((u${bits} *)(${base}), r0, r${src})`);
    else this.emit(`r${src} = atomic${wide}_${kind}((u${bits} *)(${base}), r${src})`);
  }

  protected branch(): void {
    const w = this.random.oneIn(4) ? 'w' : 'r';
    const pointer = this.random.oneIn(3) ? this.with('maybe') : -1;
    const until = this.slots + 2 + this.random.below(6);
    const line = this.code.length;
    const from = this.slots;
    if (pointer >= 0 && this.kinds[pointer] === 'maybe') {
      this.emit(`if r${pointer} == 0x0 goto pc+?`);
      this.set(pointer, 'value');
    } else if (this.random.oneIn(3) && this.kinds.includes('packet') && this.kinds.includes('end')) {
      const packet = this.with('packet');
      const scratch = this.target();
      this.emit(`r${scratch} = r${packet}`);
      this.emit(`r${scratch} += ${this.random.pick([1, 8, 14, 20])}`);
      this.set(scratch, 'packet');
      const end = this.with('end');
      this.open.push({ line: this.code.length, from: this.slots, until: this.slots + 2 + this.random.below(6) });
      this.emit(`if r${scratch} ${this.random.pick(['>', '>', '>=', '<', '<='])} r${end} goto pc+?`);
      return;
    } else {
      const a = this.with('scalar');
      const jump = this.random.pick(JUMPS);
      const b = this.random.oneIn(2) ? `${w}${this.with('scalar')}` : `0x${(this.immediate() >>> 0).toString(16)}`;
      this.emit(`if ${w}${a} ${jump} ${b} goto pc+?`);
    }
    this.open.push({ line, from, until });
  }

  protected loop(): void {
    const counter = this.target();
    this.emit(`r${counter} = 0`);
    const kept = this.kinds.slice();
    // Left alone in the body: loops that never end cost the kernel a million instructions each.
    this.set(counter, 'none');
    const start = this.slots;
    for (let i = this.random.below(3); i >= 0; i--)
      this.random.pick([() => this.arithmetic(), () => this.stackStore()])();
    if (this.random.oneIn(5)) {
      this.emit(`may_goto pc+1`);
      this.emit(`goto pc${start - this.slots - 1}`);
    } else {
      this.emit(`r${counter} += 1`);
      this.emit(`if r${counter} < 0x${this.random.pick([2, 5, 12]).toString(16)} goto pc${start - this.slots - 1}`);
    }
    this.kinds = kept;
  }

  protected lookup(): void {
    const index = this.random.below(MAPS.length);
    const map = MAPS[index]!;
    this.emit(`*(u64 *)(r10 -8) = ${this.random.oneIn(3) ? 0 : 1}`);
    this.written.add(-8);
    this.emit('r2 = r10');
    this.emit(`r2 += -${map.key === 4 && this.random.oneIn(2) ? 4 : 8}`);
    this.emit(`r1 = map[${index}]`, 2);
    this.emit('call bpf_map_lookup_elem#1');
    for (let r = 1; r <= 5; r++) this.set(r, 'none');
    this.set(0, 'maybe');
  }

  protected helper(): void {
    switch (this.random.below(3)) {
      case 0:
        this.emit('call bpf_get_prandom_u32#7');
        break;
      case 1:
        this.emit('call bpf_ktime_get_ns#5');
        break;
      default: {
        this.emit('r1 = r10');
        this.emit(`r1 += ${-8 * (1 + this.random.below(4))}`);
        if (this.random.oneIn(3)) this.emit(`r2 = r${this.with('scalar')}`);
        else this.emit(`r2 = ${this.random.pick([8, 16, 4])}`);
        if (this.random.oneIn(2)) this.emit('r2 &= 15');
        this.emit('r3 = 0');
        this.emit('call bpf_probe_read_kernel#113');
      }
    }
    for (let r = 1; r <= 5; r++) this.set(r, 'none');
    this.set(0, 'scalar');
  }

  protected call(): void {
    this.callsOpen.push({ line: this.code.length, from: this.slots });
    this.emit(`r1 = r${this.with('scalar')}`);
    this.callsOpen.at(-1)!.line = this.code.length;
    this.callsOpen.at(-1)!.from = this.slots;
    this.emit('call pc+?');
    for (let r = 1; r <= 5; r++) this.set(r, 'none');
    this.set(0, 'scalar');
  }

  protected step(): void {
    const makers: readonly (readonly [make: () => void, ...needs: Kind[]])[] = [
      [(): void => this.moveConstant()],
      [(): void => this.move()],
      [(): void => this.arithmetic(), 'scalar'],
      [(): void => this.arithmetic(), 'scalar'],
      [(): void => this.pointerArithmetic(), 'value', 'packet'],
      [(): void => this.stackStore()],
      [(): void => this.stackLoad()],
      [(): void => this.contextLoad(), 'ctx'],
      [(): void => this.memoryAccess(), 'value', 'packet'],
      [(): void => this.memoryAccess(), 'value', 'packet'],
      [(): void => this.atomic(), 'scalar'],
      [(): void => this.branch(), 'scalar'],
      [(): void => this.branch(), 'scalar', 'maybe'],
      [(): void => this.loop()],
      [(): void => this.lookup()],
      [(): void => this.helper()],
      [(): void => this.call(), 'scalar'],
    ];
    const [make, ...needs] = this.random.pick(makers);
    const fits = needs.length === 0 || needs.some((kind) => this.kinds.includes(kind));
    if (fits || this.random.oneIn(40)) make();
  }

  protected callee(): void {
    this.kinds = new Array<Kind>(11).fill('none');
    this.kinds[1] = 'scalar';
    this.kinds[10] = 'stack';
    this.written.clear();
    this.emit('r0 = r1');
    this.kinds[0] = 'scalar';
    for (let i = this.random.below(6); i >= 0; i--) {
      this.random.pick([() => this.arithmetic(), () => this.stackStore(), () => this.branch()])();
    }
    this.finish();
  }

  /** Closes open jumps and leaves with a value in R0. */
  protected finish(): void {
    while (this.open.length > 0) this.emit('r9 = 0');
    this.emit(this.random.oneIn(30) ? 'r0 = r6' : `r0 = ${this.random.below(2)}`);
    this.emit('exit');
  }

  protected maps(): readonly FuzzMap[] {
    return MAPS;
  }

  /** Code behind the program: subprograms. */
  protected behind(): void {
    const calls = this.callsOpen.splice(0);
    if (calls.length === 0) return;
    const start = this.slots;
    this.callee();
    for (const call of calls) this.code[call.line] = `call pc+${start - call.from - 1}`;
  }

  generate(): FuzzProgram {
    // Callee-saved copies, so that calls do not lose everything.
    this.emit('r6 = r1');
    this.set(6, 'ctx');
    this.emit('r7 = 1');
    this.set(7, 'scalar');
    for (let i = 4 + this.random.below(22); i > 0; i--) this.step();
    this.finish();
    this.behind();
    const { type, attachType } = this.context;
    return { type, attachType, flags: this.random.oneIn(40) ? 8 : 0, maps: this.maps(), code: this.code };
  }
}

/** The program of a seed. */
export function fuzzProgram(seed: number): FuzzProgram {
  return new Generator(new Random(seed)).generate();
}
