/**
 * Programs of our own for the JIT, one for each group of instructions: every operation, width and operand form, with values
 * and immediates at the edges where the code changes. Each computes a number, which the kernel's run of it is recorded with.
 *
 * r9 holds 0 that the verifier does not know (it comes from a map), so that nothing is computed before the program runs;
 * r8 gathers results.
 */

export interface JitTestProgram {
  readonly name: string;
  readonly lines: readonly string[];
  /** type,key,value,max_entries,flags */
  readonly maps: readonly string[];
}

/** BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH and BPF_MAP_TYPE_PROG_ARRAY with what the programs need of them. */
const ARRAY = '2,4,40000,1,0';
const HASH = '1,4,8,4,0';
const PROGRAMS = '3,4,4,4,0';

const VALUES = [
  '0',
  '1',
  '-1',
  '0x7fffffff',
  '0x80000000',
  '0xffffffff',
  '0x123456789abcdef0',
  '0x8000000000000000',
  '0x7fffffffffffffff',
  '0xfedcba9800000000',
];
/** Around the ranges of add/subtract and move immediates, and bit masks of every element size. */
const IMMEDIATES = [
  0, 1, -1, 2, 0x7f, 0xfff, 0x1000, 0x1001, 0xfff000, 0xfff001, 0x1000000, 0xffff, 0x10000, 0x7fffffff, -0x80000000,
  -0xfff, -0x1000, -0x1001, -0xfff000, -0x1000000, -0x10000, -0x10001, 0x55555555, 0x33333333, 0x0f0f0f0f, 0x00ff00ff,
  0x0ffff000, 0x3ffffffc, -16, 0x12345678, -0x12345678,
];
const OPERATIONS = ['+=', '-=', '*=', '/=', 's/=', '%=', 's%=', '|=', '&=', '^='];
const SHIFTS = ['<<=', '>>=', 's>>='];
const CONDITIONS = ['==', '!=', '&', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<='];

const START = ['r1 = map[0]+0', 'r9 = *(u64 *)(r1 +0)', 'r8 = 7'];
/** Both halves of r8 into r0. */
const END = ['r0 = r8', 'r8 >>= 32', 'w0 ^= w8', 'exit'];

const gather = (register: string): string[] => ['r8 *= 0x1000193', `r8 ^= ${register}`];
/** A value that the verifier cannot know. */
const unknown = (register: string, value: string): string[] => [`${register} = ${value} ll`, `${register} += r9`];

function program(name: string, body: readonly string[], maps: readonly string[] = [ARRAY]): JitTestProgram {
  return { name, lines: [...START, ...body, ...END], maps };
}

const narrow = (register: string, width: string): string => register.replace('r', width);

function operation(kind: string, width: string): JitTestProgram[] {
  const divides = kind.endsWith('/=') || kind.endsWith('%=');
  const target = narrow('r6', width);
  const immediates = IMMEDIATES.filter((imm) => !divides || imm !== 0);
  const withImmediate = immediates.flatMap((imm, k) => [
    ...unknown('r6', VALUES[k % VALUES.length]!),
    `${target} ${kind} ${imm}`,
    ...gather('r6'),
  ]);
  const withRegister = VALUES.flatMap((value, k) => [
    ...unknown('r6', VALUES[(k * 3 + 1) % VALUES.length]!),
    ...unknown('r7', value),
    `${target} ${kind} ${narrow('r7', width)}`,
    ...gather('r6'),
  ]);
  return [program(`${width} ${kind} immediate`, withImmediate), program(`${width} ${kind} register`, withRegister)];
}

function shift(kind: string, width: string): JitTestProgram {
  const amounts = width === 'w' ? [0, 1, 15, 31] : [0, 1, 31, 32, 63];
  const target = narrow('r6', width);
  const body = amounts.flatMap((amount) => [
    ...unknown('r6', '0x923456789abcdef1'),
    `${target} ${kind} ${amount}`,
    ...gather('r6'),
    ...unknown('r6', '0x923456789abcdef1'),
    ...unknown('r7', String(amount)),
    `${target} ${kind} ${narrow('r7', width)}`,
    ...gather('r6'),
  ]);
  return program(`${width} ${kind}`, body);
}

function condition(kind: string, width: string): JitTestProgram {
  const left = narrow('r6', width);
  const body = [...IMMEDIATES, ...VALUES].flatMap((operand, k) => {
    const immediate = typeof operand === 'number';
    const value = k % 3 === 0 ? String(operand) : VALUES[k % VALUES.length]!;
    return [
      ...unknown('r6', value),
      ...(immediate ? [] : unknown('r7', operand)),
      `if ${left} ${kind} ${immediate ? operand : narrow('r7', width)} goto pc+1`,
      `r8 += ${k + 1}`,
      'r8 *= 3',
    ];
  });
  return program(`if ${width} ${kind}`, body);
}

const moves = program(
  'moves and byte order',
  VALUES.flatMap((value) => [
    ...unknown('r6', value),
    ...['w7 = w6', 'r7 = (s8)r6', 'r7 = (s16)r6', 'r7 = (s32)r6', 'w7 = (s8)w6', 'w7 = (s16)w6'].flatMap((move) => [
      move,
      ...gather('r7'),
    ]),
    ...['be16', 'be32', 'be64', 'le16', 'le32', 'le64', 'bswap16', 'bswap32', 'bswap64'].flatMap((swap) => [
      'r7 = r6',
      `r7 = ${swap} r7`,
      ...gather('r7'),
    ]),
    'r7 = r6',
    'r7 = -r7',
    ...gather('r7'),
    'w7 = -w7',
    ...gather('r7'),
  ]),
);

const LANES = [0n, 0xffffn, 0x1234n];
/** Every arrangement of empty, full and other 16-bit lanes. */
const constants = program(
  'constants',
  LANES.flatMap((a) =>
    LANES.flatMap((b) =>
      LANES.flatMap((c) => LANES.map((d) => BigInt.asIntN(64, (a << 48n) | (b << 32n) | (c << 16n) | d))),
    ),
  ).flatMap((value) => [`r6 = ${value} ll`, ...gather('r6')]),
);

const immediates = program(
  'move immediates',
  IMMEDIATES.flatMap((imm) => [`r6 = ${imm}`, ...gather('r6'), `w6 = ${imm}`, ...gather('r6')]),
);

const SIZES = [8, 16, 32, 64];

function stack(depth: number): JitTestProgram {
  const places = [-8, -depth, -(depth >> 1) & ~7].filter((off) => off <= -8);
  const body = places.flatMap((off) => [
    `*(u64 *)(r10 ${off}) = r9`,
    ...SIZES.flatMap((bits) => [
      ...unknown('r6', '0xfedcba9876543210'),
      `*(u${bits} *)(r10 ${off}) = r6`,
      `r7 = *(u${bits} *)(r10 ${off})`,
      ...gather('r7'),
      ...(bits < 64 ? [`r7 = *(s${bits} *)(r10 ${off})`, ...gather('r7')] : []),
      `*(u${bits} *)(r10 ${off}) = -2`,
      `r7 = *(u${bits} *)(r10 ${off})`,
      ...gather('r7'),
    ]),
  ]);
  return program(`stack of ${depth}`, body);
}

/** Offsets on both sides of what each load and store takes (4095 units of its size), aligned and not. */
const OFFSETS = [0, 1, 2, 3, 4, 8, 4095, 4096, 8190, 8191, 8192, 16380, 16384, 16386, 32752, 32760];
const mapAccess = SIZES.map((bits) =>
  program(`map access of ${bits}`, [
    'r7 = map[0]+0',
    ...OFFSETS.filter((off) => (off * 8) % bits === 0).flatMap((off) => [
      ...unknown('r6', '0xfedcba9876543210'),
      `*(u${bits} *)(r7 +${off}) = r6`,
      `r6 = *(u${bits} *)(r7 +${off})`,
      ...gather('r6'),
      ...(bits < 64 ? [`r6 = *(s${bits} *)(r7 +${off})`, ...gather('r6')] : []),
      `*(u${bits} *)(r7 +${off}) = -77`,
      `r6 = *(u${bits} *)(r7 +${off})`,
      ...gather('r6'),
      `*(u${bits} *)(r7 +${off}) = 0`,
    ]),
  ]),
);
const mapAccessBelow = program('map access below the pointer', [
  'r7 = map[0]+36000',
  ...SIZES.flatMap((bits) => [
    ...unknown('r6', '0xfedcba9876543210'),
    `*(u${bits} *)(r7 -32768) = r6`,
    `r6 = *(u${bits} *)(r7 -32768)`,
    ...gather('r6'),
    `*(u${bits} *)(r7 -8) = 99`,
    `r6 = *(u${bits} *)(r7 -8)`,
    ...gather('r6'),
  ]),
]);

/** On the stack and in a map, with and without an offset. */
function atomics(bits: number): JitTestProgram {
  const form = bits === 64 ? 'atomic64' : 'atomic';
  const places = ['r10 -8', 'r10 -16', 'r7 +0', 'r7 +8'];
  const body = places.flatMap((place) => {
    const seed = [...unknown('r6', '0x123456789abcdef'), `*(u64 *)(${place}) = r6`, ...unknown('r6', '0xf0f0f0f01')];
    const result = [`r6 = *(u64 *)(${place})`, ...gather('r6')];
    const plain = ['+=', '|=', '&=', '^='].flatMap((kind) => [
      ...seed,
      `lock *(u${bits} *)(${place}) ${kind} r6`,
      ...result,
    ]);
    const fetching = ['fetch_add', 'fetch_or', 'fetch_and', 'fetch_xor', 'xchg'].flatMap((kind) => [
      ...seed,
      `r6 = ${form}_${kind}((u${bits} *)(${place}), r6)`,
      ...gather('r6'),
      ...result,
    ]);
    const swapping = ['0x123456789abcdef', '5'].flatMap((expected) => [
      ...seed,
      ...unknown('r0', expected),
      ...(bits === 32 ? ['w0 = w0'] : []),
      `r0 = ${form}_cmpxchg((u${bits} *)(${place}), r0, r6)`,
      ...gather('r0'),
      ...result,
    ]);
    return [...plain, ...fetching, ...swapping];
  });
  return program(`atomics of ${bits}`, ['r7 = map[0]+64', ...body, '*(u64 *)(r7 +0) = 0', '*(u64 *)(r7 +8) = 0']);
}

/** Which callee-saved registers a function uses decides on its prologue. */
function savedRegisters(registers: readonly number[]): JitTestProgram {
  const body = registers.flatMap((r) => (r === 10 ? ['*(u64 *)(r10 -8) = 3'] : [`r${r} = ${r}`]));
  const sum = registers.filter((r) => r !== 10).map((r) => `r0 += r${r}`);
  const name = `saves ${registers.join(' ')}`.trim();
  return { name, lines: [...body, 'r0 = 5', ...sum, 'exit'], maps: [] };
}

const jumps = program('jumps back, forth and out', [
  'r6 = 10',
  'r8 += r6',
  'r6 += -1',
  'if r6 != 0 goto pc-3',
  'gotol pc+1',
  'goto pc+1',
  'goto pc-2',
  'if r9 == 0 goto pc+2',
  'r0 = 0',
  'exit',
]);

const calls: JitTestProgram = {
  name: 'subprograms',
  maps: [ARRAY],
  lines: [
    'r1 = map[0]+0',
    'r1 = *(u64 *)(r1 +0)',
    'r1 += 5',
    'call pc+2', // sum
    'r0 += 100',
    'exit',
    // sum: 3 * twice(arg) + arg
    'r6 = r1',
    'call pc+5', // twice
    'r7 = r0',
    'r7 *= 3',
    'r7 += r6',
    'r0 = r7',
    'exit',
    // twice, by way of the stack
    '*(u64 *)(r10 -24) = r1',
    'r0 = *(u64 *)(r10 -24)',
    'r0 <<= 1',
    'exit',
  ],
};

const helpers: JitTestProgram = {
  name: 'helper calls',
  maps: [HASH],
  lines: [
    '*(u64 *)(r10 -8) = 42',
    '*(u32 *)(r10 -12) = 1',
    'r1 = map[0]',
    'r2 = r10',
    'r2 += -12',
    'r3 = r10',
    'r3 += -8',
    'r4 = 0',
    'call bpf_map_update_elem#2',
    'r6 = r0',
    'r1 = map[0]',
    'r2 = r10',
    'r2 += -12',
    'call bpf_map_lookup_elem#1',
    'if r0 == 0 goto pc+3',
    'r0 = *(u64 *)(r0 +0)',
    'r0 += r6',
    'exit',
    'r0 = 1',
    'exit',
  ],
};

const inlined: JitTestProgram = {
  name: 'inlined helpers',
  maps: [],
  lines: ['call bpf_get_smp_processor_id#8', 'exit'],
};

const tailCall: JitTestProgram = {
  name: 'tail calls into nothing',
  maps: [PROGRAMS],
  lines: [
    'r6 = r1',
    '*(u64 *)(r10 -8) = 4',
    'r2 = map[0]',
    'r3 = 1',
    'call bpf_tail_call#12',
    'r1 = r6',
    'r2 = map[0]',
    'r3 = 77',
    'call bpf_tail_call#12',
    'r0 = *(u64 *)(r10 -8)',
    'exit',
  ],
};

const WIDTHS = ['r', 'w'];

export const PROGRAMS_BY_GROUP: readonly JitTestProgram[] = [
  ...OPERATIONS.flatMap((kind) => WIDTHS.flatMap((width) => operation(kind, width))),
  ...SHIFTS.flatMap((kind) => WIDTHS.map((width) => shift(kind, width))),
  ...CONDITIONS.flatMap((kind) => WIDTHS.map((width) => condition(kind, width))),
  moves,
  constants,
  immediates,
  ...[8, 16, 24, 248, 512].map(stack),
  ...mapAccess,
  mapAccessBelow,
  ...[[], [6], [7, 9], [6, 7, 8], [6, 7, 8, 9], [10], [8, 10], [6, 7, 8, 9, 10]].map(savedRegisters),
  jumps,
  calls,
  helpers,
  inlined,
  tailCall,
];

/** What a CPU without Armv8.1's atomics is given other code for. */
export const ATOMIC_PROGRAMS: readonly JitTestProgram[] = [atomics(32), atomics(64)];
