/** Programs of ours loaded with fewer capabilities, and what the kernel said and made of them: files in cases/, recorded by record.ts. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import {
  compile,
  effectiveCapabilities,
  type CompileRequest,
  type ProgramResult,
  type RawMap,
} from '../../src/compiler/compile.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { capabilityBits, capabilitiesFromNames } from '../../src/service/contract/capabilities.js';
import { assemble } from '../verify/assembler.js';
import { comparable, type Case, type CaseMap } from '../verify/cases.js';
import { LOG_LEVEL, type KernelAnswer, type Question } from './kernel.js';

export interface CapabilityCase extends Omit<Case, 'capabilities' | 'logLevel' | 'err' | 'log'> {
  /** "CAP_BPF,CAP_NET_ADMIN", or "none". */
  readonly capabilities: string;
  /** So many times `r0 = 0` in front of the code. */
  readonly padding?: number;
  /** The kernel's answer. */
  readonly kernel?: Omit<KernelAnswer, 'log'> & { readonly log: readonly string[] };
}

const CASES = new URL('cases/', import.meta.url);

export function caseFiles(): readonly string[] {
  return readdirSync(CASES).sort();
}

export function readCases(file: string): readonly CapabilityCase[] {
  return JSON.parse(readFileSync(new URL(file, CASES), 'utf8')) as CapabilityCase[];
}

export function writeCases(file: string, cases: readonly CapabilityCase[]): void {
  writeFileSync(new URL(file, CASES), `[\n${cases.map((test) => JSON.stringify(test)).join(',\n')}\n]\n`);
}

export function questionOf(test: CapabilityCase): Question {
  return {
    capabilities: capabilityBits(capabilitiesFromNames(test.capabilities)),
    type: test.type ?? 1,
    attachType: test.attachType ?? 0,
    flags: test.flags ?? 0,
    license: test.license ?? 'GPL',
    maps: test.maps ?? [],
    instructions: assemble([...new Array<string>(test.padding ?? 0).fill('r0 = 0'), ...test.code]),
  };
}

/** What is compared: the log without what varies, everything else as it is. */
export function shownAnswer(answer: KernelAnswer): NonNullable<CapabilityCase['kernel']> {
  return { ...answer, log: comparable(answer.log) };
}

function rawMap(map: CaseMap, name: string): RawMap {
  return {
    name,
    type: map.type,
    keySize: map.key,
    valueSize: map.value,
    maxEntries: map.entries,
    flags: map.flags ?? 0,
    mapExtra: 0n,
    btfKeyTypeId: 0,
    btfValueTypeId: 0,
    innerMap: map.inner === undefined ? null : rawMap(map.inner, ''),
  };
}

type Places = Pick<KernelAnswer, 'functions' | 'maps'>;

/** The question as a request, linked to the addresses that the kernel's answer tells. */
export function ourRequest(question: Question, kernel: Places): CompileRequest {
  const { capabilities, type, attachType, flags, license, maps, instructions } = question;
  const name = (i: number): string => `m${i}`;
  return {
    object: null,
    programs: [],
    program: {
      name: 't',
      type,
      expectedAttachType: attachType,
      instructions: instructions.bytes,
      maps: maps.map((map, i) => rawMap(map, name(i))),
      btf: new Uint8Array(0),
      funcInfo: new Uint8Array(0),
      lineInfo: new Uint8Array(0),
      license,
      flags,
      attachTo: '',
      attachBtfId: 0,
    },
    cpu: {},
    logLevel: LOG_LEVEL,
    legacyMaps: false,
    capabilities: effectiveCapabilities(capabilities),
    link: {
      functions: kernel.functions.map(({ address }) => BigInt(address)),
      maps: new Map(
        kernel.maps.map((map, i) => [
          name(i),
          { address: BigInt(map.address), valueAddress: BigInt(map.valueAddress), kernelAddress: 0n },
        ]),
      ),
      symbols: new Map(),
      programAux: 0n,
    },
  };
}

/** Our answer to the same question. */
export function ourAnswer(question: Question, kernel: Places, profile: Profile) {
  return shown(compile(ourRequest(question, kernel), profile).programs[0]!, kernel);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function shown(result: ProgramResult, { functions, maps }: Places) {
  return {
    errno: result.errno,
    log: comparable(result.log),
    translated: hex(result.translated),
    functions: result.functions.map(({ code }, i) => ({ address: functions[i]?.address ?? '', code: hex(code) })),
    maps,
    code: result.failure?.code ?? '',
  };
}
