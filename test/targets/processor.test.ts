/**
 * The recorder's processors against QEMU's: functions compiled from emulated.c, with many numbers. Needs the cross
 * compilers and QEMU's user emulation (test/setup).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { RecordedArchitecture } from '../../tools/record-target/architectures/architecture.js';
import { ARM64 } from '../../tools/record-target/architectures/arm64.js';
import { S390X } from '../../tools/record-target/architectures/s390x.js';
import { X86_64 } from '../../tools/record-target/architectures/x86_64.js';
import type { Processor } from '../../tools/record-target/emulate/processor.js';
import type { Agent } from '../../tools/record-target/machine/agent.js';
import { KernelMemory } from '../../tools/record-target/kernel/memory.js';

const SOURCE = fileURLToPath(new URL('emulated.c', import.meta.url));

interface Machine {
  readonly architecture: RecordedArchitecture;
  readonly qemu: string;
  /** Where the functions lie: an address that is a kernel's. */
  readonly base: bigint;
  /** What its kernels are compiled with. */
  readonly flags: readonly string[];
}

const MACHINES: readonly Machine[] = [
  {
    architecture: ARM64,
    qemu: 'qemu-aarch64',
    base: 0xffff_8000_8000_0000n,
    flags: ['-mgeneral-regs-only', '-mno-outline-atomics'],
  },
  { architecture: X86_64, qemu: 'qemu-x86_64', base: 0xffff_ffff_8100_0000n, flags: ['-mgeneral-regs-only', '-mcmodel=kernel', '-fno-pie'] },
  { architecture: S390X, qemu: 'qemu-s390x', base: 0x3ff_e000_0000n, flags: ['-msoft-float', '-march=z13'] },
  { architecture: S390X, qemu: 'qemu-s390x', base: 0x3ff_e000_0000n, flags: ['-msoft-float', '-march=z10'] },
];

const EDGES = [0n, 1n, 2n, 5n, 9n, 0x7fn, 0xffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 63n, (1n << 64n) - 1n];

/** Pairs of edges, and of numbers from a multiplicative generator: the same every time. */
function pairs(): [bigint, bigint][] {
  const all = EDGES.flatMap((a) => EDGES.map((b): [bigint, bigint] => [a, b]));
  let state = 0x9e37_79b9_7f4a_7c15n;
  const next = () => (state = (state * 0xd129_0a85_0f3b_9a35n + 0x1234_5671n) & ((1n << 64n) - 1n)) >> (state & 31n);
  for (let i = 0; i < 200; i++) all.push([next(), next()]);
  return all;
}

/** A kernel's memory that is one file. */
async function memoryOf({ architecture, base }: Machine, image: Buffer): Promise<KernelMemory> {
  const peek = (places: readonly { address: bigint; size: number }[]) =>
    Promise.resolve(
      places.map(({ address, size }) => {
        const at = Number(address - base);
        if (at < 0 || at >= image.length) return null;
        return Buffer.concat([image.subarray(at, at + size), Buffer.alloc(Math.max(0, at + size - image.length))]);
      }),
    );
  const memory = new KernelMemory({ peek, order: architecture.byteOrder } as unknown as Agent);
  await memory.load(base, base + BigInt(image.length));
  return memory;
}

async function processorOver(machine: Machine, image: Buffer): Promise<Processor> {
  const { architecture } = machine;
  return architecture.processor({
    memory: await memoryOf(machine, image),
    order: architecture.byteOrder,
    substitutes: new Map(),
    addressBits: 48,
    symbol: () => null,
    isKernelAddress: (value) => architecture.isKernelAddress(value),
  });
}

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;

for (const machine of MACHINES) {
  const { architecture, qemu, base, flags } = machine;
  const { name, debian } = architecture;
  const gcc = `${debian.triplet}-gcc`;
  const skip = has(gcc) && has(qemu) ? false : `no ${gcc} or ${qemu} on this machine (test/setup)`;

  t.test(`emulated functions answer what a processor answers: ${name} ${flags.join(' ')}`, { skip }, async (t) => {
    const work = mkdtempSync(join(tmpdir(), 'processor-'));
    t.teardown(() => {
      rmSync(work, { recursive: true });
    });
    const file = (name: string) => join(work, name);
    const run = (tool: string, args: readonly string[], input = '') =>
      execFileSync(tool, args, { input, encoding: 'latin1', maxBuffer: 1 << 26 });
    run(gcc, ['-O2', '-static', '-DHARNESS', SOURCE, '-o', file('harness')]);
    const freestanding = ['-O2', '-ffreestanding', '-fno-stack-protector', ...flags];
    const placed = ['-nostdlib', '-static', '-Wl,--build-id=none', `-Wl,-Ttext=0x${base.toString(16)}`, '-Wl,-e,f_divide'];
    run(gcc, [...freestanding, ...placed, '-Wl,-z,norelro', '-Wl,-N,--no-warn-rwx-segments', SOURCE, '-o', file('kernel')]);
    const left = ['-R', '.comment', '-R', '.eh_frame'];
    run(`${debian.triplet}-objcopy`, ['-O', 'binary', ...left, file('kernel'), file('image')]);
    const symbols = new Map(
      run(`${debian.triplet}-nm`, [file('kernel')])
        .split('\n')
        .map((line) => line.split(' '))
        .map(([address, , name]) => [name ?? '', BigInt(`0x${address === '' ? '0' : address!}`)] as const),
    );
    const processor = await processorOver(machine, readFileSync(file('image')));

    const input = pairs().map(([a, b]) => `${a.toString(16)} ${b.toString(16)}\n`);
    const lines = run(qemu, [file('harness')], input.join('')).trim().split('\n');
    const wrong = lines.filter((line) => {
      const [name, a, b, answer] = line.split(' ') as [string, string, string, string];
      processor.reset();
      return processor.call(symbols.get(name)!, [BigInt(`0x${a}`), BigInt(`0x${b}`)]) !== BigInt(`0x${answer}`);
    });
    t.ok(lines.length > 8000, `${lines.length} calls`);
    t.strictSame(wrong.slice(0, 10), []);
  });
}

t.test('what it does not know is an error, never a guess', async (t) => {
  const words = (...code: number[]) => Buffer.from(Uint32Array.from(code).buffer);
  const [machine] = MACHINES;
  const run = async (code: Buffer) => (await processorOver(machine!, code)).call(machine!.base, []);
  const RET = 0xd65f03c0;
  t.equal(await run(words(0xd2800540, RET)), 42n); // mov x0, #42
  await t.rejects(run(words(0x1e602800, RET)), { message: /^instruction 1e602800/ }); // fadd d0, d0, d0
  await t.rejects(run(words(0xd5380000, RET)), { message: /^instruction d5380000/ }); // mrs x0, midr_el1
  await t.rejects(run(words(0xf9400000, RET)), { message: /^read of 0 / }); // ldr x0, [x0]: nobody wrote there
  await t.rejects(run(words(0x14000000)), { message: /no end/ }); // b .
});
