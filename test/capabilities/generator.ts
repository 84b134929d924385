/** Programs that a process without CAP_BPF or CAP_PERFMON might get loaded: pointers kept to themselves, moves within bounds. */
import { Generator, MAPS, type Context, type FuzzMap, type FuzzProgram } from '../fuzz/program.js';
import { Random } from '../fuzz/random.js';

const CONTEXTS: readonly Context[] = [
  { type: 1, attachType: 0, fields: [[0, 32, 'scalar'], [4, 32, 'scalar'], [16, 32, 'scalar'], [48, 32, 'scalar']] }, // prettier-ignore
  { type: 1, attachType: 0, fields: [[0, 32, 'scalar'], [48, 32, 'scalar'], [52, 32, 'scalar']] }, // prettier-ignore
  { type: 8, attachType: 0, fields: [[0, 32, 'scalar'], [76, 32, 'packet'], [80, 32, 'end'], [8, 32, 'scalar']] }, // prettier-ignore
  { type: 8, attachType: 1, fields: [[0, 32, 'scalar'], [48, 32, 'scalar']] }, // prettier-ignore
];
const PROGRAMS: FuzzMap = { type: 3, key: 4, value: 4, entries: 6 };
const BYTES = [1, 2, 4, 8];
const COMPARISONS = ['==', '!=', '>', '>=', '<', '<=', 's>', 's<'];

class LesserGenerator extends Generator {
  constructor(random: Random) {
    super(random, CONTEXTS);
  }

  private begun = false;
  /** Jumps over the step at hand. */
  private opened = 0;

  /** Every register holds something, and the stack in use is written, so that few programs end at the first line. */
  private begin(): void {
    this.begun = true;
    for (const r of [0, 2, 3, 4, 5, 8, 9]) this.setScalar(r);
    if (this.random.oneIn(8)) return;
    for (let off = -8; off >= -48; off -= 8) {
      this.emit(`*(u64 *)(r10 ${off}) = ${this.random.below(9)}`);
      this.written.add(off);
    }
  }

  private setScalar(r: number): void {
    this.emit(`r${r} = ${this.immediate()}`);
    this.set(r, 'scalar');
  }

  /** Behind a call: the argument registers hold nothing any more. */
  private afterCall(): void {
    for (let r = 1; r <= 5; r++) this.setScalar(r);
  }

  /** A store of a known width to a place that fits it, and often the whole slot, so that it can be read again. */
  protected override stackStore(): void {
    const bytes = this.random.pick([8, 8, 8, 4, 2, 1]);
    const off = -8 * (1 + this.random.below(6)) + (bytes === 8 ? 0 : bytes * this.random.below(8 / bytes));
    const from = this.random.oneIn(2) ? -1 : this.with('scalar', 'ctx', 'value', 'maybe', 'packet');
    if (from < 0) this.emit(`*(u${8 * bytes} *)(r10 ${off}) = ${this.immediate()}`);
    else this.emit(`*(u${this.kinds[from] === 'scalar' ? 8 * bytes : 64} *)(r10 ${off & ~7}) = r${from}`);
    if (bytes === 8) this.written.add(off);
  }

  protected override pointerArithmetic(): void {
    const pointer = this.with('value', 'value', 'stack', 'packet');
    if (pointer === 10) return this.stackPointer();
    const index = this.with('scalar');
    switch (this.random.below(6)) {
      case 0:
        this.emit(`r${pointer} += ${this.random.pick([1, 4, 8, 15, -4, -8, 40])}`);
        return;
      case 1:
        this.emit(`r${index} = ${this.random.pick([0, 3, 8, 47, -1, -3, 60])}`);
        break;
      case 2:
        this.emit(`if r${index} > ${this.random.pick([3, 7, 15, 40])} goto pc+?`);
        this.open.push({ line: this.code.length - 1, from: this.slots - 1, until: this.slots + 2 });
        break;
      default:
        this.emit(`r${index} &= ${this.random.pick([1, 3, 7, 15, 31])}`);
    }
    if (this.random.oneIn(4)) {
      this.emit(`r${index} += r${pointer}`);
      this.set(index, this.kinds[pointer] ?? 'none');
    } else this.emit(`r${pointer} ${this.random.oneIn(4) ? '-=' : '+='} r${index}`);
  }

  private stackPointer(): void {
    const r = this.target();
    this.emit(`r${r} = r10`);
    if (this.random.oneIn(3)) {
      const index = this.target();
      this.emit(`r${index} = ${this.random.pick([-8, -16, -24, -48, 8])}`);
      this.set(index, 'scalar');
      this.emit(`r${r} += r${index}`);
    } else this.emit(`r${r} += ${this.random.pick([-8, -16, -24])}`);
    this.set(r, 'stack');
  }

  /** A jump that goes one way only: the other is walked under speculation. */
  private settled(): void {
    const r = this.target();
    const value = this.random.below(5);
    this.emit(`${this.random.oneIn(3) ? 'w' : 'r'}${r} = ${value}`);
    this.set(r, 'scalar');
    const other = this.random.oneIn(4) ? `r${this.with('scalar')}` : String(this.random.below(5));
    const line = this.code.length;
    this.open.push({ line, from: this.slots, until: this.slots + 2 + this.random.below(4) });
    this.emit(`if r${r} ${this.random.pick(COMPARISONS)} ${other} goto pc+?`);
  }

  private stackAccess(): void {
    const r = this.with('stack');
    const to = this.target();
    this.emit(`r${to} = *(u${8 * this.random.pick(BYTES)} *)(r${r} ${r === 10 ? -8 : '+0'})`);
    this.set(to, 'scalar');
  }

  private tailCall(): void {
    const context = this.with('ctx');
    this.emit(this.random.oneIn(2) ? `r3 = ${this.random.below(8)}` : `r3 = r${this.with('scalar')}`);
    this.emit(`r2 = map[${MAPS.length}]`, 2);
    this.emit(`r1 = r${context}`);
    this.emit('call bpf_tail_call#12');
    this.set(0, 'scalar');
    this.afterCall();
  }

  /** Whole fields, so that few loads are refused. */
  protected override contextLoad(): void {
    if (this.random.oneIn(10)) return super.contextLoad();
    const [off, bits, kind] = this.random.pick(this.context.fields);
    const to = this.random.pick([2, 3, 4, 5, 7, 8, 9]);
    this.emit(`r${to} = *(u${bits} *)(r6 +${off})`);
    this.set(to, kind);
  }

  /** R6 keeps the context. */
  protected override target(): number {
    const r = super.target();
    return (r === 6 || r === 9) && !this.random.oneIn(30) ? 8 : r;
  }

  protected override helper(): void {
    if (this.random.oneIn(30)) return super.helper();
    this.emit(this.random.oneIn(2) ? 'call bpf_get_prandom_u32#7' : 'call bpf_ktime_get_ns#5');
    this.set(0, 'scalar');
    this.afterCall();
  }

  /** A looked-up value that R9 keeps from here on: without one the program ends. */
  protected override lookup(): void {
    super.lookup();
    if (this.random.oneIn(10)) return this.afterCall();
    this.emit('if r0 != 0x0 goto pc+2');
    this.emit(`r0 = ${this.random.below(2)}`);
    this.emit('exit');
    this.emit('r9 = r0');
    this.set(0, 'value');
    this.set(9, 'value');
    this.afterCall();
  }

  /** R9 is a value on every path, or becomes one. */
  private value(): void {
    if (this.kinds[9] === 'value') this.movedAccess();
    else if (this.open.length === 0 && this.opened === 0) this.lookup();
  }

  /** A value is moved and looked at in one go. */
  private movedAccess(): void {
    const r = this.random.pick([2, 3, 4, 5]);
    this.emit(`r${r} = r9`);
    this.set(r, 'value');
    const before = this.kinds[0];
    this.set(0, 'none');
    this.pointerArithmetic();
    this.set(0, before ?? 'none');
    const [bits, off] = [8 * this.random.pick(BYTES), this.random.pick([0, 0, 0, 1, 8])];
    if (this.random.oneIn(3)) this.emit(`*(u${bits} *)(r${r} +${off}) = ${this.random.below(100)}`);
    else this.emit(`r0 = *(u${bits} *)(r${r} +${off})`);
  }

  /** Steps that take a pointer into memory, where there is one on every path. */
  private known(make: () => void): void {
    if (this.opened === 0 || this.random.oneIn(20)) make();
  }

  /** Jumps land between steps: what a step needs, it has. */
  private inOneGo(make: () => void): void {
    const open = this.open.splice(0);
    this.opened = open.length;
    make();
    for (const jump of open) {
      if (this.slots < jump.until) this.open.push(jump);
      else this.code[jump.line] = this.code[jump.line]!.replace('pc+?', `pc+${this.slots - jump.from - 1}`);
    }
  }

  protected override step(): void {
    if (!this.begun) this.begin();
    if (this.random.oneIn(40)) return super.step(); // loops, calls, anything
    const makers: readonly (() => void)[] = [
      (): void => this.moveConstant(),
      (): void => this.move(),
      (): void => this.arithmetic(),
      (): void => this.known(() => this.pointerArithmetic()),
      (): void => this.stackStore(),
      (): void => this.stackStore(),
      (): void => this.stackLoad(),
      (): void => this.stackAccess(),
      (): void => this.contextLoad(),
      (): void => this.known(() => this.memoryAccess()),
      (): void => this.branch(),
      (): void => this.settled(),
      (): void => this.settled(),
      (): void => this.value(),
      (): void => this.value(),
      (): void => this.value(),
      (): void => this.value(),
      (): void => this.helper(),
      (): void => this.tailCall(),
    ];
    this.inOneGo(this.random.pick(makers));
  }

  protected override maps(): readonly FuzzMap[] {
    return [...MAPS, PROGRAMS];
  }
}

/** The program of a seed. */
export function fuzzLesserProgram(seed: number): FuzzProgram {
  return new LesserGenerator(new Random(seed)).generate();
}
