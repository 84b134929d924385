/** Compiling in this process, as the service's workers do. */
import { compile } from '../compiler/compile.js';
import { architectureOf } from '../compiler/jit/architectures.js';
import { readModule } from '../compiler/kernel-btf.js';
import { decodeProfile } from '../compiler/targets/decode.js';
import type { Profile } from '../compiler/targets/profile.js';
import { unwrapBtf } from '../service/btf-unwrap.js';
import { fromCompiler, targetMessage } from '../service/contract/from-compiler.js';
import { readJson } from '../service/contract/json-read.js';
import { writeJson } from '../service/contract/json-write.js';
import type { CompileRequestMessage, ModuleMessage } from '../service/contract/messages.js';
import { checkRequest, ELF } from '../service/contract/request.js';
import { CompileRequestType, CompileResponseType, type Message } from '../service/contract/schema.js';
import { toCompiler } from '../service/contract/to-compiler.js';
import { ServiceError } from '../service/errors.js';
import { loadProfile, readTarget, targetNames } from '../service/targets.js';
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
  return async (json) => {
    const request = checkRequest(readJson(CompileRequestType, json) as CompileRequestMessage);
    const name = request.target?.kernel ?? '';
    const profile = profiles.get(name) ?? profileOf(name);
    profiles.set(name, profile);
    const loaded = await withModules(profile, request.target?.modules ?? []);
    const message = fromCompiler(
      compile(toCompiler(request), loaded),
      '',
      targetMessage(profile, ''),
      request.options?.format === ELF ? architectureOf(profile.architecture) : null,
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

async function withModules(profile: Profile, given: readonly ModuleMessage[]): Promise<Profile> {
  if (given.length === 0) return profile;
  const modules = await Promise.all(
    given.map(async ({ name = '', btf }) => {
      if (btf === undefined) throw new ServiceError('UNKNOWN_BTF', 'only a service keeps BTF');
      const module = readModule(await unwrapBtf(btf), profile.btf, name);
      if (!module.ok) throw new ServiceError('INVALID_BTF', `${name}: ${module.failure.message}`);
      return module.value;
    }),
  );
  return decodeProfile(readTarget(profile.name).files, profile.btf, modules);
}
