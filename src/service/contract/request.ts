/** From a body to a request that can be compiled: decoded, checked, in its canonical form. */
import type protobuf from 'protobufjs';
import { BadField, readJson } from './json-read.js';
import { canonical } from './canonical.js';
import { CompileRequestType, decode, type Message } from './schema.js';
import type {
  AttachProgramMessage,
  CompileRequestMessage,
  LinkMessage,
  MapMessage,
  ModuleMessage,
  RawProgramMessage,
  TargetMessage,
} from './messages.js';
import { ServiceError } from '../errors.js';
import { checkJsonWeight, checkWireWeight, TooHeavy } from './weight.js';

/** More than any program has (BPF_COMPLEXITY_LIMIT_INSNS, 1 million, of 8 bytes). */
const MAX_INSTRUCTION_BYTES = 8_000_000;
/** More than any program refers to (MAX_USED_MAPS is 64); the kernel's own limit is the verifier's to apply. */
const MAX_MAPS = 1024;
const MAX_LOG_LEVEL = 7;
/** Of options.format. */
export const ELF = 1;
export const LISTING = 2;

/** JSON text → message. Throws ServiceError MALFORMED_BODY or INVALID_FIELD. */
export function messageFromJson(type: protobuf.Type, body: Uint8Array): Message {
  let value: unknown;
  try {
    checkJsonWeight(body);
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    if (error instanceof TooHeavy) throw new ServiceError('MALFORMED_BODY', `the body ${error.message}`);
    throw new ServiceError('MALFORMED_BODY', `the body is not JSON: ${jsonFault(error)}`);
  }
  return messageFromValue(type, value);
}

/** A parsed JSON value → message. Throws ServiceError INVALID_FIELD. */
export function messageFromValue(type: protobuf.Type, value: unknown): Message {
  return asInvalidField(() => readJson(type, value));
}

/** V8's message about JSON without the text it quotes. */
export function jsonFault(error: unknown): string {
  if (!(error instanceof SyntaxError)) return 'it is not UTF-8';
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(error.message);
  return place === null ? 'it ends too early' : `unexpected text ${place[0]}`;
}

/** Protobuf bytes → message. Throws ServiceError MALFORMED_BODY. */
export function messageFromProtobuf(type: protobuf.Type, body: Uint8Array): Message {
  try {
    checkWireWeight(type, body);
    return decode(type, body);
  } catch (error) {
    if (error instanceof TooHeavy) throw new ServiceError('MALFORMED_BODY', `the ${type.name} ${error.message}`);
    throw new ServiceError('MALFORMED_BODY', `this is not a ${type.name} in protobuf encoding`);
  }
}

export function requestFromJson(body: Uint8Array): CompileRequestMessage {
  return messageFromJson(CompileRequestType, body);
}

export function requestFromProtobuf(body: Uint8Array): CompileRequestMessage {
  return messageFromProtobuf(CompileRequestType, body);
}

/** Checks what the types of the message do not say, and brings it into its canonical form. Throws ServiceError. */
export function checkRequest(message: CompileRequestMessage): CompileRequestMessage {
  const request = canonical(CompileRequestType, message as Message) as CompileRequestMessage | null;
  if (request === null) throw new ServiceError('MALFORMED_BODY', 'the request nests too deeply');
  asInvalidField(() => {
    if (message.object !== undefined && message.program !== undefined) {
      throw new BadField('program', 'cannot be given together with object');
    }
    if (request.program !== undefined) checkProgram(request.program, 'program');
    else if (message.object === undefined) throw new BadField('object', 'either object or program must be given');
    else if (request.object === undefined) throw new BadField('object', 'is empty');
    if (request.program !== undefined && request.programs !== undefined) {
      throw new BadField('programs', 'is for objects only');
    }
    if (request.attachProgram !== undefined) checkAttachProgram(request, request.attachProgram, 'attachProgram', 1);
    checkOptions(request);
    if (request.link !== undefined) checkLink(request.link);
  });
  return request;
}

function asInvalidField<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof BadField) throw new ServiceError('INVALID_FIELD', error.message, { field: error.path });
    throw error;
  }
}

function checkProgram(program: RawProgramMessage, path: string): void {
  const bytes = program.instructions?.length ?? 0;
  if (bytes === 0) throw new BadField(`${path}.instructions`, 'is empty');
  if (bytes % 8 !== 0) {
    throw new BadField(`${path}.instructions`, `${bytes} bytes are not a whole number of 8-byte instructions`);
  }
  if (bytes > MAX_INSTRUCTION_BYTES)
    throw new BadField(`${path}.instructions`, 'holds more than 1,000,000 instructions');
  const maps = program.maps ?? [];
  if (maps.length > MAX_MAPS) throw new BadField(`${path}.maps`, `a program uses at most ${MAX_MAPS} maps`);
  maps.forEach((map, i) => {
    checkInner(map, `${path}.maps[${i}]`);
  });
}

/** The longest chain that the kernel takes traces what traces an extension of a program. */
const MAX_ATTACH_DEPTH = 3;

function checkAttachProgram(
  request: CompileRequestMessage,
  { program, object, name, function: fn, attachProgram }: AttachProgramMessage,
  path: string,
  depth: number,
): void {
  if (depth > MAX_ATTACH_DEPTH) throw new BadField(path, `programs are attached at most ${MAX_ATTACH_DEPTH} deep`);
  if (program !== undefined) {
    if (object !== undefined) throw new BadField(`${path}.object`, 'cannot be given together with program');
    if (name !== undefined) throw new BadField(`${path}.name`, 'is for objects only');
    checkProgram(program, `${path}.program`);
  } else {
    if (name === undefined) throw new BadField(`${path}.name`, 'either program or name must be given');
    if ((object ?? request.object) === undefined)
      throw new BadField(`${path}.object`, 'there is no object to find it in');
  }
  if (fn !== undefined && depth === 1 && request.program !== undefined) {
    throw new BadField(`${path}.function`, 'is for objects only: program.attachTo names it');
  }
  if (attachProgram !== undefined) checkAttachProgram(request, attachProgram, `${path}.attachProgram`, depth + 1);
}

function checkInner(map: MapMessage, path: string): void {
  for (const member of ['section', 'contents', 'frozen', 'pinning', 'numaNode'] as const) {
    if (map[member] !== undefined) throw new BadField(`${path}.${member}`, 'is found in answers only');
  }
  if (map.innerMap?.innerMap !== undefined) throw new BadField(`${path}.innerMap.innerMap`, 'maps nest once only');
  if (map.innerMap !== undefined) checkInner(map.innerMap, `${path}.innerMap`);
}

function checkOptions(request: CompileRequestMessage): void {
  if ((request.options?.logLevel ?? 0) > MAX_LOG_LEVEL) {
    throw new BadField('options.logLevel', 'has bits other than 1, 2 and 4');
  }
  if ((request.options?.format ?? 0) > LISTING) throw new BadField('options.format', 'is no Format');
  if (request.target !== undefined) checkTarget(request.target, 'target');
  if (request.targets === undefined) return;
  if (request.target !== undefined) throw new BadField('targets', 'cannot be given together with target');
  if (request.targets.length > MAX_TARGETS) throw new BadField('targets', `there are more than ${MAX_TARGETS}`);
  request.targets.forEach((target, i) => {
    checkTarget(target, `targets[${i}]`);
  });
}

/** More than there are kernels that anybody runs one program on. */
const MAX_TARGETS = 64;

function checkTarget(target: TargetMessage, path: string): void {
  if (target.modules !== undefined) checkModules(target.modules, path);
  if (target.btfDigest === undefined) return;
  if (target.btf !== undefined) throw new BadField(`${path}.btfDigest`, 'cannot be given together with btf');
  if (!isDigest(target.btfDigest)) throw new BadField(`${path}.btfDigest`, 'is not 64 hexadecimal digits');
}

/** More than a machine has loaded that programs ask for. */
const MAX_MODULES = 64;
/** MODULE_NAME_LEN of 64-bit kernels. */
const MODULE_NAME = /^[\w-]{1,55}$/;

function checkModules(modules: readonly ModuleMessage[], target: string): void {
  if (modules.length > MAX_MODULES) throw new BadField(`${target}.modules`, `there are more than ${MAX_MODULES}`);
  modules.forEach(({ name = '', btf, btfDigest }, i) => {
    const path = `${target}.modules[${i}]`;
    if (!MODULE_NAME.test(name)) throw new BadField(`${path}.name`, 'is no name of a module');
    if (modules.findIndex((other) => other.name === name) !== i) throw new BadField(`${path}.name`, 'is given twice');
    if (btf !== undefined && btfDigest !== undefined) {
      throw new BadField(`${path}.btfDigest`, 'cannot be given together with btf');
    }
    if (btf === undefined && btfDigest === undefined)
      throw new BadField(`${path}.btf`, 'either btf or btfDigest must be given');
    if (btfDigest !== undefined && !isDigest(btfDigest)) {
      throw new BadField(`${path}.btfDigest`, 'is not 64 hexadecimal digits');
    }
  });
}

/** SHA-256 in lower-case hexadecimal. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** What is not told may stand as "0", as kernels and their tools print it. */
const ADDRESS = /^(0|0x[0-9a-f]{1,16})$/i;

function checkLink(link: LinkMessage): void {
  const address = (text: string | undefined, path: string): void => {
    if (text !== undefined && !ADDRESS.test(text)) {
      throw new BadField(path, 'is not an address of up to 64 bits such as "0xffff800081234567"');
    }
  };
  link.functions?.forEach((text, i) => {
    address(text, `link.functions[${i}]`);
  });
  address(link.programAux, 'link.programAux');
  for (const [name, text] of Object.entries(link.symbols ?? {})) address(text, `link.symbols[${JSON.stringify(name)}]`);
  for (const [name, map] of Object.entries(link.maps ?? {})) {
    const path = `link.maps[${JSON.stringify(name)}]`;
    address(map.address, `${path}.address`);
    address(map.valueAddress, `${path}.valueAddress`);
    address(map.kernelAddress, `${path}.kernelAddress`);
  }
}
