/** The checked request message as the compiler takes it. */
import type { AttachProgram, CompileRequest, Link, LinkMap, RawMap, RawProgram } from '../../compiler/compile.js';
import { capabilityBits } from './capabilities.js';
import { LISTING } from './request.js';
import type {
  AttachProgramMessage,
  CompileRequestMessage,
  CpuFact,
  CpuMessage,
  LinkMessage,
  MapMessage,
  RawProgramMessage,
} from './messages.js';

const NO_BYTES = new Uint8Array(0);

/** The message must have passed `checkRequest`. Bytes are not copied. */
export function toCompiler(message: CompileRequestMessage): CompileRequest {
  return {
    object: message.object ?? null,
    programs: message.programs ?? [],
    program: message.program === undefined ? null : rawProgram(message.program),
    attachProgram: message.attachProgram === undefined ? null : attachProgram(message.attachProgram),
    ...cpuRequest(message.target?.cpu),
    logLevel: message.options?.logLevel ?? 0,
    legacyMaps: message.options?.legacyMaps ?? false,
    capabilities: capabilityBits(message.options?.capabilities),
    listing: message.options?.format === LISTING,
    link: message.link === undefined ? null : linkAddresses(message.link),
  };
}

function attachProgram(target: AttachProgramMessage): AttachProgram {
  return {
    program: target.program === undefined ? null : rawProgram(target.program),
    object: target.object ?? null,
    name: target.name ?? '',
    function: target.function ?? '',
    attachProgram: target.attachProgram === undefined ? null : attachProgram(target.attachProgram),
  };
}

function rawProgram(program: RawProgramMessage): RawProgram {
  return {
    name: program.name ?? '',
    type: program.type ?? 0,
    expectedAttachType: program.expectedAttachType ?? 0,
    instructions: program.instructions ?? NO_BYTES,
    maps: (program.maps ?? []).map(rawMap),
    btf: program.btf ?? NO_BYTES,
    funcInfo: program.funcInfo ?? NO_BYTES,
    lineInfo: program.lineInfo ?? NO_BYTES,
    license: program.license ?? '',
    flags: program.flags ?? 0,
    attachTo: program.attachTo ?? '',
    attachBtfId: program.attachBtfId ?? 0,
  };
}

function rawMap(map: MapMessage): RawMap {
  return {
    name: map.name ?? '',
    type: map.type ?? 0,
    keySize: map.keySize ?? 0,
    valueSize: map.valueSize ?? 0,
    maxEntries: map.maxEntries ?? 0,
    flags: map.flags ?? 0,
    mapExtra: map.mapExtra === undefined ? 0n : BigInt.asUintN(64, BigInt(map.mapExtra.toString())),
    btfKeyTypeId: map.btfKeyTypeId ?? 0,
    btfValueTypeId: map.btfValueTypeId ?? 0,
    innerMap: map.innerMap === undefined ? null : rawMap(map.innerMap),
  };
}

/** The features of the architecture that is named, with those of the message itself, which name none. */
function cpuRequest(cpu: CpuMessage = {}): Pick<CompileRequest, 'cpu' | 'cpuArchitecture'> {
  const entries = Object.entries(cpu);
  const [named] = entries.filter(([, value]) => typeof value === 'object');
  const unnamed = entries.filter((entry): entry is [string, CpuFact] => typeof entry[1] !== 'object');
  return {
    cpu: { ...Object.fromEntries(unnamed), ...(named?.[1] as Record<string, CpuFact> | undefined) },
    cpuArchitecture: named?.[0] ?? null,
  };
}

const address = (text: string | undefined): bigint => (text === undefined || text === '' ? 0n : BigInt(text));

function linkAddresses(link: LinkMessage): Link {
  const maps = new Map<string, LinkMap>();
  for (const [name, map] of Object.entries(link.maps ?? {})) {
    maps.set(name, {
      address: address(map.address),
      valueAddress: address(map.valueAddress),
      kernelAddress: address(map.kernelAddress),
    });
  }
  return {
    functions: (link.functions ?? []).map(address),
    maps,
    symbols: new Map(Object.entries(link.symbols ?? {}).map(([name, text]) => [name, address(text)])),
    programAux: address(link.programAux),
  };
}
