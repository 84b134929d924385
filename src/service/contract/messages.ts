/** The request messages as protobufjs decodes them. `test/service/contract` holds the names against proto/. */
import type Long from 'long';

export interface CompileRequestMessage {
  object?: Uint8Array;
  programs?: string[];
  program?: RawProgramMessage;
  target?: TargetMessage;
  targets?: TargetMessage[];
  options?: OptionsMessage;
  link?: LinkMessage;
  attachProgram?: AttachProgramMessage;
}
export interface AttachProgramMessage {
  program?: RawProgramMessage;
  object?: Uint8Array;
  name?: string;
  function?: string;
  attachProgram?: AttachProgramMessage;
}
export interface RawProgramMessage {
  name?: string;
  type?: number;
  expectedAttachType?: number;
  instructions?: Uint8Array;
  maps?: MapMessage[];
  btf?: Uint8Array;
  funcInfo?: Uint8Array;
  lineInfo?: Uint8Array;
  license?: string;
  flags?: number;
  attachTo?: string;
  attachBtfId?: number;
}
export interface MapMessage {
  name?: string;
  type?: number;
  keySize?: number;
  valueSize?: number;
  maxEntries?: number;
  flags?: number;
  mapExtra?: Long;
  btfKeyTypeId?: number;
  btfValueTypeId?: number;
  innerMap?: MapMessage;
  section?: string;
  contents?: Uint8Array;
  frozen?: boolean;
  pinning?: number;
  numaNode?: number;
}
export interface TargetMessage {
  kernel?: string;
  btf?: Uint8Array;
  btfDigest?: string;
  cpu?: CpuMessage;
  modules?: ModuleMessage[];
}
export interface ModuleMessage {
  name?: string;
  btf?: Uint8Array;
  btfDigest?: string;
}
export type CpuFact = boolean | number | string;
/** Features that name no architecture, and by the name of one its own: proto/ says which there are. */
export type CpuMessage = Record<string, CpuFact | Record<string, CpuFact>>;
export interface OptionsMessage {
  logLevel?: number;
  legacyMaps?: boolean;
  format?: number;
  capabilities?: CapabilitiesMessage;
}
export interface CapabilitiesMessage {
  bpf?: boolean;
  perfmon?: boolean;
  netAdmin?: boolean;
  sysAdmin?: boolean;
  sysBoot?: boolean;
}
export interface LinkMessage {
  functions?: string[];
  maps?: Record<string, MapAddressMessage>;
  symbols?: Record<string, string>;
  programAux?: string;
}
export interface MapAddressMessage {
  address?: string;
  valueAddress?: string;
  kernelAddress?: string;
}
