/** The compiler's answer as a CompileResponse message, for protobufjs to encode. */
import Long from 'long';
import type { CompileResponse, FunctionResult, ProgramResult } from '../../compiler/compile.js';
import type { Architecture } from '../../compiler/jit/architecture.js';
import { writeObject } from '../../compiler/link/object/object.js';
import type { Failure, Stage } from '../../compiler/outcome.js';
import type { Profile } from '../../compiler/targets/profile.js';
import type { Message } from './schema.js';

const STAGES: Readonly<Record<Stage, number>> = { LOAD: 1, VERIFY: 2, JIT: 3, LINK: 4 };
const RELOCATION_KINDS = {
  function: 1,
  kernel: 2,
  map: 3,
  mapValue: 4,
  programAux: 6,
  structMeta: 7,
  arena: 8,
} as const;

/** `digest` is that of the request; `elf`: with the code as an object file of that architecture. */
export function fromCompiler(
  response: CompileResponse,
  digest: string,
  target: Message,
  elf: Architecture | null,
): Message {
  return {
    digest,
    programs: response.programs.map(programMessage),
    maps: response.maps.map(mapMessage),
    target,
    ...(elf === null ? {} : { elf: objectFile(response, elf) }),
    ...(response.failure === null ? {} : { failure: failureMessage(response.failure) }),
  };
}

/** The accepted programs' code as one relocatable object. */
function objectFile(response: CompileResponse, architecture: Architecture): Uint8Array {
  const { maps } = response;
  return writeObject(
    architecture,
    response.programs.filter(({ accepted }) => accepted).map(({ name, functions }) => ({ name, functions, maps })),
  );
}

/** What a client may know of a profile. */
export function targetMessage(profile: Profile, digest: string): Message {
  return {
    name: profile.name,
    release: profile.release,
    digest,
    verified: profile.verified,
    pageSize: profile.pageSize,
    architecture: profile.architecture,
  };
}

function programMessage(program: ProgramResult): Message {
  return {
    name: program.name,
    section: program.section,
    type: program.type,
    accepted: program.accepted,
    errno: program.errno,
    ...(program.failure === null ? {} : { failure: failureMessage(program.failure) }),
    log: program.log,
    ...(program.stats === null ? {} : { stats: program.stats }),
    instructions: program.instructions,
    translated: program.translated,
    functions: program.functions.map(functionMessage),
    interpreted: program.interpreted,
    relocations: program.functions.flatMap(relocationMessages),
  };
}

export function failureMessage(failure: Failure): Message {
  const { stage, offset, ...rest } = failure;
  return {
    ...rest,
    stage: STAGES[stage],
    ...(offset === undefined ? {} : { offset: Long.fromNumber(offset, true) }),
  };
}

function functionMessage(fn: FunctionResult): Message {
  return {
    name: fn.name,
    address: fn.address === null ? '' : hex(fn.address),
    code: fn.code,
    exceptionTable: fn.exceptionTable,
    exceptionTableOffset: fn.exceptionTableOffset,
    lines: fn.lines,
    ...(fn.instructions === undefined ? {} : { instructions: fn.instructions }),
  };
}

const hex = (address: bigint): string => `0x${BigInt.asUintN(64, address).toString(16)}`;

function relocationMessages(fn: FunctionResult, index: number): Message[] {
  return fn.relocations.map((relocation) => {
    const symbol = relocation.symbol;
    return {
      function: index,
      offset: relocation.offset,
      type: relocation.type,
      kind: RELOCATION_KINDS[symbol.kind],
      symbol: symbolText(symbol),
      index: 'index' in symbol ? symbol.index : 'typeId' in symbol ? symbol.typeId : 0,
      addend: Long.fromNumber(relocation.addend),
    };
  });
}

function symbolText(symbol: FunctionResult['relocations'][number]['symbol']): string {
  if (symbol.kind === 'kernel') return symbol.name;
  return symbol.kind === 'arena' ? symbol.side : '';
}

type MapSpec = CompileResponse['maps'][number];

function mapMessage(map: MapSpec): Message {
  return {
    name: map.name,
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: map.flags,
    mapExtra: Long.fromString(BigInt.asUintN(64, map.mapExtra).toString(), true),
    btfKeyTypeId: map.btfKeyTypeId,
    btfValueTypeId: map.btfValueTypeId,
    ...(map.innerMap === null ? {} : { innerMap: mapMessage(map.innerMap) }),
    section: map.section,
    ...(map.contents === null ? {} : { contents: map.contents }),
    frozen: map.frozen,
    pinning: map.pinning,
    numaNode: map.numaNode,
  };
}
