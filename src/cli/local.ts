/** Compiling in this process, as the service's workers do. */
import { compile } from '../compiler/compile.js';
import type { Profile } from '../compiler/targets/profile.js';
import { fromCompiler, targetMessage } from '../service/contract/from-compiler.js';
import { readJson } from '../service/contract/json-read.js';
import { writeJson } from '../service/contract/json-write.js';
import type { CompileRequestMessage } from '../service/contract/messages.js';
import { checkRequest, ELF } from '../service/contract/request.js';
import { CompileRequestType, CompileResponseType, type Message } from '../service/contract/schema.js';
import { toCompiler } from '../service/contract/to-compiler.js';
import { ServiceError } from '../service/errors.js';
import { loadProfile, targetNames } from '../service/targets.js';
import { compileRemotely } from './remote.js';

/** Request and answer as canonical JSON. */
export type Compile = (request: Message) => Message | Promise<Message>;

/** By a running service, or here where none is named. */
export function compilerOf(server: string | undefined): Compile {
  return server === undefined ? localCompiler() : (request) => compileRemotely(server, request);
}

/** Keeps the kernels that were asked for. */
function localCompiler(): Compile {
  const profiles = new Map<string, Profile>();
  return (json) => {
    const request = checkRequest(readJson(CompileRequestType, json) as CompileRequestMessage);
    const name = request.target?.kernel ?? '';
    const profile = profiles.get(name) ?? profileOf(name);
    profiles.set(name, profile);
    const message = fromCompiler(
      compile(toCompiler(request), profile),
      '',
      targetMessage(profile, ''),
      request.options?.format === ELF,
    );
    // Through the encoding, so that both ways show the same.
    const decoded = CompileResponseType.decode(CompileResponseType.encode(message).finish());
    return writeJson(CompileResponseType, decoded as unknown as Message);
  };
}

function profileOf(name: string): Profile {
  if (name !== '' && !targetNames().includes(name)) {
    throw new ServiceError('UNKNOWN_TARGET', `the targets are: ${targetNames().join(', ')}`);
  }
  return name === '' ? loadProfile() : loadProfile(name);
}
