/** A program in the words that load.c reads. */
import type { Instructions } from '../../src/compiler/isa/instructions.js';
import * as op from '../../src/compiler/isa/opcodes.js';
import type { LineInfo, MapSpec, Program } from '../../src/compiler/load/program.js';
import { BPF_F_RDONLY_PROG } from '../../src/compiler/targets/map-flags.js';
import * as uapi from '../../src/compiler/targets/uapi.js';

/** Map types that the kernel itself makes read-only to programs, and refuses where it is asked to. */
const READ_ONLY_BY_ITSELF: readonly number[] = [uapi.BPF_MAP_TYPE_DEVMAP, uapi.BPF_MAP_TYPE_DEVMAP_HASH];
const NO_INNER_MAP = -1;

/** The program, to be loaded `times` times, and those of its maps that its instructions name. */
export function describeProgram(program: Program, times: number): string {
  const maps = new MapLines();
  const instructions = numberMaps(program, maps);
  const btf = program.btf === null ? [] : [`btf ${hex(program.btf.blob)}`];
  const line = [
    'program',
    program.name,
    program.type,
    program.expectedAttachType,
    program.flags,
    program.attachBtfId,
    hex(Buffer.from(`${program.license}\0`, 'latin1')),
    hex(instructions.bytes),
    hex(words(program.funcInfo.flatMap(({ instruction, typeId }) => [instruction, typeId]))),
    hex(words(program.lineInfo.flatMap(lineWords))),
    times,
  ];
  return [...btf, ...maps.lines, line.join(' '), ''].join('\n');
}

/** The maps of a program as they are described: a map of maps after its template, each map once. */
class MapLines {
  readonly lines: string[] = [];
  private readonly numbers = new Map<MapSpec, number>();

  numberOf(map: MapSpec): number {
    let number = this.numbers.get(map);
    if (number === undefined) {
      const inner = map.innerMap === null ? NO_INNER_MAP : this.numberOf(map.innerMap);
      number = this.lines.push(mapLine(map, inner)) - 1;
      this.numbers.set(map, number);
    }
    return number;
  }
}

function mapLine(map: MapSpec, inner: number): string {
  const flags = READ_ONLY_BY_ITSELF.includes(map.type) ? map.flags & ~BPF_F_RDONLY_PROG : map.flags;
  const sizes = [map.keySize, map.valueSize, map.maxEntries];
  const types = [map.btfKeyTypeId, map.btfValueTypeId];
  const contents = hex(map.contents ?? new Uint8Array(0));
  return ['map', map.name, map.type, ...sizes, flags, map.mapExtra, ...types, inner, Number(map.frozen), contents].join(
    ' ',
  );
}

/** The instructions, with maps numbered as they are described. */
function numberMaps({ instructions, descriptors, maps }: Program, described: MapLines): Instructions {
  const numbered = instructions.clone();
  for (let i = 0; i < numbered.length; i++) {
    if (numbered.opcode(i) !== op.LD_IMM64) continue;
    const refersToMap = numbered.src(i) === op.PSEUDO_MAP_FD || numbered.src(i) === op.PSEUDO_MAP_VALUE;
    if (refersToMap && descriptors?.has(i) !== true) numbered.setImm(i, described.numberOf(maps[numbered.imm(i)]!));
    i++;
  }
  return numbered;
}

function lineWords({ instruction, fileNameOff, lineOff, lineCol }: LineInfo): number[] {
  return [instruction, fileNameOff, lineOff, lineCol];
}

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function hex(bytes: Uint8Array): string {
  return bytes.length === 0 ? '-' : Buffer.from(bytes).toString('hex');
}
