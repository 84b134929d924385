/**
 * Programs around the kernel's own objects: iterators, dynptrs, ring buffer records, sockets, packets, tail calls,
 * stack slots at variable offsets. The steps of program.ts fill the rest.
 */
import type { Btf } from '../../src/compiler/btf/btf.js';
import { KIND_FUNC } from '../../src/compiler/btf/kinds.js';
import { Generator, MAPS } from './program.js';
import type { FuzzMap, FuzzProgram } from './program.js';
import { Random } from './random.js';

/** Ring buffer and program array, behind the maps of program.ts. */
const MORE_MAPS: readonly FuzzMap[] = [
  { type: 27, key: 0, value: 0, entries: 4096 },
  { type: 3, key: 4, value: 4, entries: 2 },
];
const RINGBUF = MAPS.length;
const PROG_ARRAY = MAPS.length + 1;

class CallGenerator extends Generator {
  private begun = false;

  constructor(
    random: Random,
    private readonly btf: Btf,
  ) {
    super(random);
  }

  protected override maps(): readonly FuzzMap[] {
    return [...MAPS, ...MORE_MAPS];
  }

  /** A number is always there. */
  private ensureNumber(): void {
    if (!this.kinds.slice(0, 10).includes('scalar')) this.spare();
  }

  /** Calls end the lives of R1 to R5; what comes next should not count on them. */
  private lost(): void {
    for (let r = 1; r <= 5; r++) this.set(r, 'none');
  }

  private kernel(name: string): void {
    this.emit(`call kernel#${this.btf.find(name, KIND_FUNC)}`);
    this.lost();
  }

  /** Lets the jumps under way land here, rather than in the middle of what follows. */
  private land(): void {
    for (const jump of this.open.splice(0))
      this.code[jump.line] = this.code[jump.line]!.replace('pc+?', `pc+${this.slots - jump.from - 1}`);
  }

  /** A number in a register that no loop counts in. */
  private spare(): void {
    const r = this.random.pick([2, 3, 4, 5, 9]);
    this.emit(`r${r} = ${this.immediate()}`);
    this.set(r, 'scalar');
  }

  /** Steps that need nothing and touch neither calls nor jumps to come. */
  private body(count: number): void {
    for (let i = 0; i < count; i++)
      this.random.pick([
        (): void => this.arithmetic(),
        (): void => this.arithmetic(),
        (): void => this.stackStore(),
        (): void => this.spare(),
      ])();
  }

  /** for (i in [from, to)) through the number iterator, whose state lies on the stack. */
  private iterator(): void {
    const off = -8 * (3 + this.random.below(4));
    const address = (): void => {
      this.emit('r1 = r10');
      this.emit(`r1 += ${this.random.oneIn(40) ? off - 4 : off}`);
    };
    address();
    this.emit(`r2 = ${this.random.below(3)}`);
    this.emit(`r3 = ${this.random.pick([0, 3, 10, 100])}`);
    this.kernel('bpf_iter_num_new');
    this.set(0, 'none');
    this.emit('r8 = 0');
    this.set(8, 'scalar');
    const start = this.slots;
    const kept = this.kinds.slice();
    address();
    this.kernel('bpf_iter_num_next');
    const exit = this.code.length;
    const from = this.slots;
    this.emit('if r0 == 0x0 goto pc+0');
    if (!this.random.oneIn(4)) this.emit('r9 = *(u32 *)(r0 +0)');
    else this.emit('r9 = 1');
    this.set(9, 'scalar');
    this.set(0, 'none');
    if (this.random.oneIn(2)) this.emit(`r8 += ${this.random.pick(['r9', '1', '8'])}`);
    this.body(this.random.below(4));
    this.emit(`goto pc${start - this.slots - 1}`);
    this.code[exit] = `if r0 == 0x0 goto pc+${this.slots - from - 1}`;
    this.kinds = kept;
    this.set(9, 'none');
    address();
    if (!this.random.oneIn(30)) this.kernel('bpf_iter_num_destroy');
    this.set(0, 'none');
  }

  private record(): void {
    this.emit(`r1 = map[${RINGBUF}]`, 2);
    this.emit(`r2 = ${this.random.pick([16, 16, 24, 8])}`);
    this.emit('r3 = 0');
    this.emit('call bpf_ringbuf_reserve#131');
    this.lost();
    const line = this.code.length;
    const from = this.slots;
    this.emit('if r0 == 0x0 goto pc+0');
    for (let i = this.random.below(3); i >= 0; i--) {
      const bits = this.random.pick([8, 16, 32, 64]);
      this.emit(`*(u${bits} *)(r0 +${this.random.pick([0, 0, 0, 4, 8])}) = ${this.random.below(100)}`);
    }
    this.emit('r1 = r0');
    this.emit('r2 = 0');
    if (!this.random.oneIn(20)) this.emit(`call bpf_ringbuf_${this.random.oneIn(2) ? 'submit#132' : 'discard#133'}`);
    this.code[line] = `if r0 == 0x0 goto pc+${this.slots - from - 1}`;
    this.lost();
    this.set(0, 'none');
  }

  /** A dynptr over a map value, read and written through helpers. */
  private dynptr(): void {
    this.lookup();
    this.emit('if r0 != 0x0 goto pc+2');
    this.emit('r0 = 0');
    this.emit('exit');
    this.emit('r1 = r0');
    this.emit(`r2 = ${this.random.pick([8, 16, 16, 24, 64])}`);
    this.emit('r3 = 0');
    this.emit('r4 = r10');
    this.emit('r4 += -40');
    this.emit('call bpf_dynptr_from_mem#197');
    if (this.random.oneIn(8)) this.emit(`*(u64 *)(r10 ${this.random.pick([-40, -32, -48])}) = 0`);
    if (this.random.oneIn(2)) {
      this.emit('r1 = r10');
      this.emit('r1 += -40');
      this.emit(`r2 = ${this.random.below(12)}`);
      this.emit(`r3 = ${this.random.pick([4, 8, 16])}`);
      this.emit('call bpf_dynptr_data#203');
      const line = this.code.length;
      const from = this.slots;
      this.emit('if r0 == 0x0 goto pc+0');
      this.emit(`r0 = *(u64 *)(r0 +${this.random.pick([0, 0, 8, 4])})`);
      this.code[line] = `if r0 == 0x0 goto pc+${this.slots - from - 1}`;
    } else {
      this.emit('r1 = r10');
      this.emit('r1 += -16');
      this.emit(`r2 = ${this.random.pick([4, 8, 16, 20])}`);
      this.emit('r3 = r10');
      this.emit('r3 += -40');
      this.emit('r4 = 0');
      this.emit('r5 = 0');
      this.emit('call bpf_dynptr_read#201');
    }
    this.lost();
    this.set(0, 'none');
    this.written.add(-16);
  }

  /** A slot of the stack at an offset that is only bounded. */
  private variableStack(): void {
    const index = this.with('scalar');
    if (index > 9) return;
    this.emit(`r${index} &= ${this.random.pick([7, 8, 15, 24, 31])}`);
    if (this.random.oneIn(2)) this.emit(`r${index} ^= ${this.random.pick([1, 8])}`);
    const pointer = (index + 1) % 10;
    this.emit(`r${pointer} = r10`);
    this.emit(`r${pointer} += ${this.random.pick([-32, -40, -64, -16])}`);
    this.emit(`r${pointer} += r${index}`);
    const bits = this.random.oneIn(6) ? 64 : 8;
    const off = this.random.pick(['+0', '+0', '-8', '+4']);
    if (this.random.oneIn(2)) this.emit(`*(u${bits} *)(r${pointer} ${off}) = ${this.random.below(3)}`);
    else this.emit(`r${pointer} = *(u${bits} *)(r${pointer} ${off})`);
    this.set(pointer, this.random.oneIn(2) ? 'none' : 'scalar');
  }

  private tailCall(): void {
    this.emit('r1 = r6');
    this.emit(`r2 = map[${PROG_ARRAY}]`, 2);
    this.emit(`r3 = ${this.random.below(3)}`);
    this.emit('call bpf_tail_call#12');
    this.lost();
    this.set(0, 'scalar');
  }

  private packetLoad(): void {
    if (this.random.oneIn(2)) this.emit(`r0 = *(u${this.random.pick([8, 16, 32])} *)skb[${this.random.below(64)}]`);
    else
      this.emit(`r0 = *(u${this.random.pick([8, 16, 32])} *)skb[r${this.with('scalar')} + ${this.random.below(20)}]`);
    this.lost();
    this.set(0, 'scalar');
  }

  private socket(): void {
    this.emit('*(u64 *)(r10 -16) = 0');
    this.emit('*(u64 *)(r10 -8) = 0');
    this.emit('r1 = r6');
    this.emit('r2 = r10');
    this.emit('r2 += -12');
    this.emit('r3 = 12');
    this.emit('r4 = -1');
    this.emit('r5 = 0');
    this.emit('call bpf_sk_lookup_tcp#84');
    this.lost();
    const line = this.code.length;
    const from = this.slots;
    this.emit('if r0 == 0x0 goto pc+0');
    if (this.random.oneIn(2)) this.emit(`r7 = *(u32 *)(r0 +${this.random.pick([0, 4, 12, 16, 76, 100])})`);
    if (this.random.oneIn(4)) this.emit('*(u64 *)(r10 -24) = r0');
    this.emit('r1 = r0');
    if (!this.random.oneIn(15)) this.emit('call bpf_sk_release#86');
    this.code[line] = `if r0 == 0x0 goto pc+${this.slots - from - 1}`;
    this.lost();
    this.set(0, 'none');
    this.set(7, 'scalar');
  }

  /** Pointers of one object, compared and subtracted. */
  private pointerDifference(): void {
    const a = this.with('packet', 'value', 'stack');
    const b = this.with('packet', 'end', 'value');
    if (a > 9) return;
    this.emit(`r${a} ${this.random.pick(['-=', '-=', '+='])} r${b}`);
    this.set(a, 'scalar');
  }

  private narrowBranch(): void {
    const r = this.with('scalar');
    const w = this.random.pick(['w', 'r']);
    const masks = ['0x1', '0x80', '0xff', '0x80000000', '0x7fffffff', '0xfffffff8'];
    this.open.push({ line: this.code.length, from: this.slots, until: this.slots + 2 + this.random.below(4) });
    this.emit(`if ${w}${r} ${this.random.pick(['&', '&', 's<', 's>=', '=='])} ${this.random.pick(masks)} goto pc+?`);
  }

  protected override atomic(): void {
    if (this.kinds.includes('value') || this.random.oneIn(30)) super.atomic();
  }

  /** Numbers that nothing is known of, so that little is decided beforehand. */
  private begin(): void {
    for (const r of [8, 9]) {
      this.emit('call bpf_get_prandom_u32#7');
      this.lost();
      this.emit(`${this.random.pick(['r', 'w'])}${r} = ${'r'}0`.replace(/^w(\d) = r0/, 'w$1 = w0'));
      this.set(r, 'scalar');
    }
    this.set(0, 'scalar');
  }

  protected override step(): void {
    if (!this.begun) {
      this.begun = true;
      this.begin();
    }
    this.ensureNumber();
    if (!this.random.oneIn(6)) this.land();
    if (!this.random.oneIn(3)) {
      super.step();
      return;
    }
    this.land();
    const { type } = this.context;
    const onSkb = type === 1 || type === 3;
    const makers: (() => void)[] = [
      (): void => this.iterator(),
      (): void => this.record(),
      (): void => this.dynptr(),
      (): void => this.variableStack(),
      (): void => this.pointerDifference(),
      (): void => this.narrowBranch(),
      (): void => this.narrowBranch(),
    ];
    if (this.random.oneIn(4)) makers.push((): void => this.tailCall());
    if (onSkb) makers.push((): void => this.packetLoad());
    if (type === 3 || type === 6) makers.push((): void => this.socket());
    this.random.pick(makers)();
  }
}

/** The program of a seed, over the kernel functions of `btf`. */
export function fuzzCallProgram(seed: number, btf: Btf): FuzzProgram {
  return new CallGenerator(new Random(seed), btf).generate();
}
