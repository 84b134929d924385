/**
 * Tracing programs that look valid: contexts typed by kernel prototypes, walks through kernel structures, RCU sections,
 * references taken and given back. Offsets come out of the target's BTF; some are just barely wrong.
 */
import type { Btf } from '../../src/compiler/btf/btf.js';
import * as kind from '../../src/compiler/btf/kinds.js';
import { functionPrototype, isStructOrUnion, typeSize } from '../../src/compiler/btf/layout.js';
import type { FuzzMap } from './program.js';
import { Random } from './random.js';

export interface TracingProgram {
  readonly type: number;
  readonly attachType: number;
  readonly flags: number;
  /** Name and kind of the kernel type that the program is attached to. */
  readonly attachTo: readonly [name: string, kind: number];
  readonly maps: readonly FuzzMap[];
  readonly code: readonly string[];
}

/** Program type, attach type, attach point. 26: tracing (23 raw tracepoint, 24 fentry, 25 fexit), 29: LSM (27). */
const POINTS: readonly (readonly [type: number, attach: number, name: string, kind: number, sleepable: boolean])[] = [
  [26, 23, 'btf_trace_sched_switch', kind.KIND_TYPEDEF, false],
  [26, 23, 'btf_trace_task_newtask', kind.KIND_TYPEDEF, false],
  [26, 23, 'btf_trace_sched_process_exec', kind.KIND_TYPEDEF, false],
  [26, 23, 'btf_trace_cgroup_mkdir', kind.KIND_TYPEDEF, false],
  [26, 23, 'btf_trace_kfree_skb', kind.KIND_TYPEDEF, false],
  [26, 23, 'btf_trace_tcp_probe', kind.KIND_TYPEDEF, false],
  [26, 24, 'bpf_fentry_test1', kind.KIND_FUNC, false],
  [26, 24, 'tcp_connect', kind.KIND_FUNC, false],
  [26, 25, 'vfs_read', kind.KIND_FUNC, false],
  [26, 25, 'bpf_fentry_test7', kind.KIND_FUNC, false],
  [29, 27, 'bpf_lsm_file_open', kind.KIND_FUNC, true],
  [29, 27, 'bpf_lsm_task_alloc', kind.KIND_FUNC, true],
  [29, 27, 'bpf_lsm_socket_connect', kind.KIND_FUNC, true],
];
const SLEEPABLE = 1 << 4;

const MAPS: readonly FuzzMap[] = [
  { type: 2, key: 4, value: 48, entries: 4 },
  { type: 27, key: 0, value: 0, entries: 4096 },
];

/** What the generator believes a register to be. */
type Value = 'none' | 'scalar' | 'ctx' | { readonly struct: number; readonly maybeNull: boolean };

function isPointer(value: Value): value is { struct: number; maybeNull: boolean } {
  return typeof value === 'object';
}

class Generator {
  private readonly code: string[] = [];
  private slots = 0;
  private values: Value[] = new Array<Value>(11).fill('none');
  private readonly open: { line: number; from: number; until: number }[] = [];
  private readonly point: (typeof POINTS)[number];
  private readonly proto: number;
  private locked = false;

  constructor(
    private readonly random: Random,
    private readonly btf: Btf,
  ) {
    this.point = random.pick(POINTS);
    this.proto = functionPrototype(btf, btf.find(this.point[2], this.point[3]));
  }

  private emit(line: string, slots = 1): void {
    this.code.push(line);
    this.slots += slots;
    for (let k = this.open.length - 1; k >= 0; k--) {
      const jump = this.open[k]!;
      if (this.slots < jump.until) continue;
      this.code[jump.line] = this.code[jump.line]!.replace('pc+?', `pc+${this.slots - jump.from - 1}`);
      this.open.splice(k, 1);
    }
  }

  private holding(wanted: (value: Value) => boolean): number {
    const list: number[] = [];
    for (let r = 0; r < 10; r++) if (wanted(this.values[r]!)) list.push(r);
    return list.length === 0 || this.random.oneIn(80) ? this.random.below(11) : this.random.pick(list);
  }

  private set(register: number, value: Value): void {
    if (register < 10) this.values[register] = value;
  }

  private clobber(result: Value): void {
    for (let r = 1; r <= 5; r++) this.set(r, 'none');
    this.set(0, result);
  }

  /** The value behind a BTF type: a structure to walk, or a number. */
  private valueOf(type: number, maybeNull: boolean): Value {
    const id = this.btf.skipModifiers(type);
    if (this.btf.kind(id) !== kind.KIND_PTR) return 'scalar';
    const struct = this.btf.skipModifiers(this.btf.sizeOrType(id));
    return isStructOrUnion(this.btf, struct) ? { struct, maybeNull } : 'scalar';
  }

  private argument(): void {
    const skipped = this.point[1] === 23 ? 1 : 0;
    const count = Math.max(this.btf.vlen(this.proto) - skipped, 0);
    const index = this.random.below(count + (this.random.oneIn(6) ? 2 : 0)) % 12;
    const to = this.random.pick([6, 7, 8, 9, this.random.below(10)]);
    const context = this.holding((v) => v === 'ctx');
    this.emit(`r${to} = *(u${this.random.oneIn(15) ? 32 : 64} *)(r${context} +${index * 8})`);
    const known = index < count;
    this.set(to, known ? this.valueOf(this.btf.paramType(this.proto, index + skipped), false) : 'scalar');
  }

  /** Loads a member, at its own width or not quite. */
  private walk(): void {
    const from = this.holding((v) => isPointer(v) && !v.maybeNull);
    const value = this.values[from]!;
    const to = this.random.pick([6, 7, 8, 9, this.random.below(10)]);
    if (!isPointer(value)) {
      this.emit(`r${to} = *(u64 *)(r${from} +${8 * this.random.below(40)})`);
      this.set(to, 'scalar');
      return;
    }
    const [off, type] = this.member(value.struct, 0);
    const size = typeSize(this.btf, type);
    const exact = size === 1 || size === 2 || size === 4 || size === 8;
    const bits = exact && !this.random.oneIn(12) ? size * 8 : this.random.pick([8, 16, 32, 64]);
    const at = off + (this.random.oneIn(15) ? this.random.pick([1, 4, 8, -8]) : 0);
    if (at > 32767) return;
    const signed = bits < 64 && this.random.oneIn(4) ? 's' : 'u';
    if (this.random.oneIn(40)) this.emit(`*(u${bits} *)(r${from} ${at < 0 ? at : `+${at}`}) = 1`);
    else this.emit(`r${to} = *(${signed}${bits} *)(r${from} ${at < 0 ? at : `+${at}`})`);
    this.set(to, bits === 64 ? this.valueOf(type, true) : 'scalar');
  }

  /** A member's offset and type, members of inner structures included. */
  private member(struct: number, depth: number): readonly [number, number] {
    const count = this.btf.vlen(struct);
    if (count === 0) return [0, struct];
    let i = this.random.below(count);
    // Pointers lead on.
    for (let tries = 0; tries < 6 && !isPointer(this.valueOf(this.btf.memberType(struct, i), true)); tries++)
      i = this.random.below(count);
    const off = this.btf.memberBitOffset(struct, i) >>> 3;
    const type = this.btf.memberType(struct, i);
    const inner = this.btf.skipModifiers(type);
    if (!isStructOrUnion(this.btf, inner) || depth > 3 || this.random.oneIn(8)) return [off, type];
    const [more, last] = this.member(inner, depth + 1);
    return [off + more, last];
  }

  private nullCheck(): void {
    const r = this.holding((v) => isPointer(v) && v.maybeNull);
    const value = this.values[r]!;
    this.open.push({ line: this.code.length, from: this.slots, until: this.slots + 2 + this.random.below(6) });
    this.emit(`if r${r} == 0x0 goto pc+?`);
    if (isPointer(value)) this.set(r, { struct: value.struct, maybeNull: false });
  }

  private move(): void {
    const from = this.holding((v) => v !== 'none');
    const to = this.random.below(10);
    this.emit(`r${to} = r${from}`);
    this.set(to, this.values[from] ?? 'none');
  }

  private pointerMath(): void {
    const r = this.holding((v) => isPointer(v));
    if (r === 10) return;
    this.emit(`r${r} += ${this.random.pick([8, 16, 4, -8])}`);
    this.emit(`r0 = *(u64 *)(r${r} +${this.random.pick([0, 8, -8, 64]) === -8 ? 8 : 0})`);
    this.set(0, 'scalar');
  }

  private spillAndFill(): void {
    const from = this.holding((v) => v !== 'none');
    const off = -8 * (1 + this.random.below(4));
    const to = this.random.pick([6, 7, 8, 9]);
    this.emit(`*(u64 *)(r10 ${off}) = r${from}`);
    this.emit(`r${to} = *(u64 *)(r10 ${off})`);
    this.set(to, this.values[from] ?? 'none');
  }

  private branch(): void {
    const r = this.holding((v) => v === 'scalar');
    this.open.push({ line: this.code.length, from: this.slots, until: this.slots + 2 + this.random.below(6) });
    this.emit(
      `if r${r} ${this.random.pick(['==', '!=', '>', 's<'])} 0x${this.random.below(64).toString(16)} goto pc+?`,
    );
  }

  private currentTask(): void {
    this.emit('call bpf_get_current_task_btf#158');
    this.clobber({ struct: this.btf.find('task_struct', kind.KIND_STRUCT), maybeNull: false });
  }

  private kernelFunction(name: string, result: Value): void {
    this.emit(`call kernel#${this.btf.find(name, kind.KIND_FUNC)}`);
    this.clobber(result);
  }

  private rcu(): void {
    this.kernelFunction(this.locked ? 'bpf_rcu_read_unlock' : 'bpf_rcu_read_lock', 'none');
    this.locked = !this.locked;
  }

  private taskReference(): void {
    const task = this.btf.find('task_struct', kind.KIND_STRUCT);
    const r = this.holding((v) => isPointer(v) && v.struct === task);
    this.emit(`r1 = r${r}`);
    this.kernelFunction('bpf_task_acquire', { struct: task, maybeNull: true });
    if (!this.random.oneIn(8)) {
      this.open.push({ line: this.code.length, from: this.slots, until: this.slots + 3 });
      this.emit('if r0 == 0x0 goto pc+?');
    }
    this.emit('r1 = r0');
    if (!this.random.oneIn(10)) this.kernelFunction('bpf_task_release', 'none');
    for (let r = 0; r < 6; r++) this.set(r, 'none');
  }

  private helper(): void {
    switch (this.random.below(3)) {
      case 0:
        this.emit('call bpf_ktime_get_ns#5');
        break;
      case 1: {
        const from = this.holding((v) => isPointer(v));
        this.emit(`r3 = r${from}`);
        this.emit('r1 = r10');
        this.emit('r1 += -16');
        this.emit(`r2 = ${this.random.pick([8, 16, 24])}`);
        this.emit('call bpf_probe_read_kernel#113');
        break;
      }
      default: {
        this.emit('r1 = map[1]', 2);
        this.emit(`r2 = ${this.random.pick([8, 16, 0])}`);
        this.emit('r3 = 0');
        this.emit('call bpf_ringbuf_reserve#131');
        this.open.push({ line: this.code.length, from: this.slots, until: this.slots + 5 });
        this.emit('if r0 == 0x0 goto pc+?');
        this.emit(`*(u64 *)(r0 +${this.random.pick([0, 0, 8])}) = 7`);
        this.emit('r1 = r0');
        this.emit('r2 = 0');
        this.emit(`call bpf_ringbuf_${this.random.oneIn(2) ? 'submit#132' : 'discard#133'}`);
      }
    }
    this.clobber('scalar');
  }

  private step(): void {
    const makers: readonly (readonly [make: () => void, needs?: (value: Value) => boolean])[] = [
      [(): void => this.argument(), (v): boolean => v === 'ctx'],
      [(): void => this.walk(), (v): boolean => isPointer(v) && !v.maybeNull],
      [(): void => this.walk(), (v): boolean => isPointer(v) && !v.maybeNull],
      [(): void => this.walk(), (v): boolean => isPointer(v) && !v.maybeNull],
      [(): void => this.nullCheck(), (v): boolean => isPointer(v) && v.maybeNull],
      [(): void => this.nullCheck(), (v): boolean => isPointer(v) && v.maybeNull],
      [(): void => this.move()],
      [(): void => this.pointerMath(), isPointer],
      [(): void => this.spillAndFill()],
      [(): void => this.branch(), (v): boolean => v === 'scalar'],
      [(): void => this.currentTask()],
      [(): void => this.rcu()],
      [(): void => this.taskReference(), isPointer],
      [(): void => this.helper()],
    ];
    const [make, needs] = this.random.pick(makers);
    if (needs === undefined || this.values.some(needs) || this.random.oneIn(60)) make();
  }

  generate(): TracingProgram {
    const [type, attachType, name, attachKind, sleepable] = this.point;
    this.emit('r6 = r1');
    this.set(1, 'ctx');
    this.set(6, 'ctx');
    this.argument();
    for (let i = 3 + this.random.below(14); i > 0; i--) this.step();
    while (this.open.length > 0) this.emit('r9 = 0');
    if (this.locked && !this.random.oneIn(8)) this.rcu();
    this.emit('r0 = 0');
    this.emit('exit');
    const flags = sleepable && this.random.oneIn(2) ? SLEEPABLE : 0;
    return { type, attachType, flags, attachTo: [name, attachKind], maps: MAPS, code: this.code };
  }
}

/** The program of a seed, over the kernel types of `btf`. */
export function fuzzTracingProgram(seed: number, btf: Btf): TracingProgram {
  return new Generator(new Random(seed), btf).generate();
}
