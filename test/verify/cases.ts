/** Programs of our own with what the kernel said of them: files in cases/, recorded by record.ts. */
import { readFileSync, readdirSync } from 'node:fs';
import type { MapSpec, Program } from '../../src/compiler/load/program.js';
import { ALL_CAPABILITIES, effectiveCapabilities } from '../../src/compiler/targets/capabilities.js';
import { assemble } from './assembler.js';

export interface CaseMap {
  readonly type: number;
  readonly key: number;
  readonly value: number;
  readonly entries: number;
  readonly flags?: number;
  /** The template of a map of maps. */
  readonly inner?: CaseMap;
}

export interface Case {
  readonly name: string;
  /** Linux's number of the program type; 1 (socket filter) by default. */
  readonly type?: number;
  readonly attachType?: number;
  readonly flags?: number;
  readonly license?: string;
  /** What the loading process may do (CAP_…); everything by default. */
  readonly capabilities?: number;
  /** 2 by default. */
  readonly logLevel?: number;
  readonly maps?: readonly CaseMap[];
  readonly code: readonly string[];
  /** The kernel's answer. */
  readonly err?: number;
  readonly log?: readonly string[];
}

export const CASES = new URL('cases/', import.meta.url);

export function caseFiles(): readonly string[] {
  return readdirSync(CASES)
    .filter((f) => f.endsWith('.json'))
    .sort();
}

export function readCases(file: string): readonly Case[] {
  return JSON.parse(readFileSync(new URL(file, CASES), 'utf8')) as Case[];
}

function mapSpec(map: CaseMap): MapSpec {
  return {
    name: 'm',
    fullName: 'm',
    type: map.type,
    keySize: map.key,
    valueSize: map.value,
    maxEntries: map.entries,
    flags: map.flags ?? 0,
    mapExtra: 0n,
    btf: null,
    btfKeyTypeId: 0,
    btfValueTypeId: 0,
    btfVmlinuxValueTypeId: 0,
    innerMap: map.inner === undefined ? null : mapSpec(map.inner),
    numaNode: 0,
    pinning: 0,
    contents: null,
    frozen: false,
    section: '',
  };
}

export function programOf(test: Case): Program {
  return {
    name: 't',
    functionName: 't',
    section: '',
    type: test.type ?? 1,
    expectedAttachType: test.attachType ?? 0,
    capabilities: effectiveCapabilities(test.capabilities ?? ALL_CAPABILITIES),
    flags: test.flags ?? 0,
    license: test.license ?? 'GPL',
    kernVersion: 0,
    instructions: assemble(test.code),
    maps: (test.maps ?? []).map(mapSpec),
    btf: null,
    funcInfo: [],
    lineInfo: [],
    attachBtfId: 0,
    attachBtf: null,
    attachProgram: null,
  };
}

/** A map's address, which only a running kernel knows. */
const ADDRESS = /(\(18\) r\d+ = )0x(?:0|f[0-9a-f]{15}) */;

/** The log line by line, without its time and without addresses. */
export function comparable(log: string): string[] {
  return log
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('verification time '))
    .map((line) => line.replace(ADDRESS, '$1MAP '));
}
