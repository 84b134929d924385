/**
 * The profiles that a worker's tasks are compiled for: a target's own, or one with the BTF that a request brings or names. What
 * comes compressed is inflated here, all of a request's under one budget, where a deadline can stop it.
 */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  checkKernelBtf,
  openKernelBtf,
  readKernelBtf,
  readModule,
  type KernelModule,
} from '../../compiler/kernel-btf.js';
import { decodeProfile } from '../../compiler/targets/decode.js';
import type { Profile } from '../../compiler/targets/profile.js';
import { InflateBudget, unwrapBtf } from '../btf-unwrap.js';
import { cacheKey } from '../cache/key.js';
import type { CompileRequestMessage } from '../contract/messages.js';
import { ServiceError } from '../errors.js';
import type { BadBtf, CompileTask, LostBtf, TargetFiles } from './protocol.js';

/** Profiles with another BTF that are kept decoded; each costs an index of some megabytes. */
const KEPT_BTFS = 2;

/** BTF that a request brings or names. */
interface GivenBtf {
  readonly field: string;
  /** What is made of it is kept under. */
  readonly key: string;
  /** A module's; empty for the target's own. */
  readonly module: string;
  readonly from: string | Uint8Array;
  /** SHA-256 that an upload must have; null for what the request itself brings. */
  readonly digest: string | null;
}

/** A refusal on its way out. */
class Refused extends Error {
  constructor(readonly why: BadBtf | LostBtf) {
    super('refused');
  }
}

export class TaskProfiles {
  private readonly own = new Map<string, Profile>();
  private readonly withOtherBtf = new Map<string, Profile>();

  /** The default target's is made at once: the first request need not wait for it. */
  constructor(private readonly targets: readonly TargetFiles[]) {
    for (const { name } of targets.slice(0, 1)) this.ownOf(name);
  }

  target(name: string): TargetFiles {
    const target = this.targets.find((candidate) => candidate.name === name);
    if (target === undefined) throw new Error(`no target ${name} was handed to the workers`);
    return target;
  }

  async of(task: CompileTask, request: CompileRequestMessage): Promise<Profile | BadBtf | LostBtf> {
    const given = givenBtf(task, request);
    if (given.length === 0) return this.ownOf(task.target);
    const key = [task.target, ...given.flatMap(({ module, key }) => [module, key])].join(' ');
    const kept = this.withOtherBtf.get(key);
    if (kept !== undefined) return kept;
    try {
      const profile = await this.make(task.target, given);
      const oldest = this.withOtherBtf.keys().next();
      if (this.withOtherBtf.size >= KEPT_BTFS && oldest.done !== true) this.withOtherBtf.delete(oldest.value);
      this.withOtherBtf.set(key, profile);
      return profile;
    } catch (error) {
      if (error instanceof Refused) return error.why;
      throw error;
    }
  }

  private ownOf(name: string): Profile {
    let profile = this.own.get(name);
    if (profile === undefined) {
      const target = this.target(name);
      profile = decodeProfile(target.files, openKernelBtf(target.btf));
      this.own.set(name, profile);
    }
    return profile;
  }

  /** One after another, so that no more than the budget is ever inflated. */
  private async make(name: string, given: readonly GivenBtf[]): Promise<Profile> {
    const target = this.target(name);
    const budget = new InflateBudget();
    let btf = openKernelBtf(target.btf);
    const modules: KernelModule[] = [];
    for (const { field, module, ...source } of given) {
      const bytes = await inflated(source, field, budget);
      if (module === '') {
        const image = readKernelBtf(bytes);
        const checked = image.ok ? checkKernelBtf(openKernelBtf(image.value), btf.byteOrder) : image;
        if (!checked.ok) throw new Refused({ badBtf: checked.failure.message, field });
        btf = checked.value;
      } else {
        const read = readModule(bytes, btf, module);
        if (!read.ok) throw new Refused({ badBtf: read.failure.message, field });
        modules.push(read.value);
      }
    }
    return decodeProfile(target.files, btf, modules);
  }
}

/** The target's first: modules continue it. */
function givenBtf({ tenant, stored }: CompileTask, { target }: CompileRequestMessage): GivenBtf[] {
  if (target === undefined) return [];
  const all = [
    { path: 'target', module: '', btf: target.btf },
    ...(target.modules ?? []).map(({ name = '', btf }, i) => ({ path: `target.modules[${i}]`, module: name, btf })),
  ];
  return all.flatMap(({ path, module, btf }): GivenBtf[] => {
    if (btf !== undefined) {
      const key = cacheKey(tenant, hash('sha256', btf));
      return [{ field: `${path}.btf`, key, module, from: btf, digest: null }];
    }
    const file = stored.find(({ field }) => field === `${path}.btfDigest`);
    return file === undefined ? [] : [{ ...file, field: `${path}.btf`, key: cacheKey(tenant, file.digest), module }];
  });
}

async function inflated(
  { from, digest }: Pick<GivenBtf, 'from' | 'digest'>,
  field: string,
  budget: InflateBudget,
): Promise<Uint8Array> {
  const bytes = typeof from === 'string' ? await readFile(from).catch(() => new Uint8Array(0)) : from;
  if (digest !== null && hash('sha256', bytes) !== digest) {
    throw new Refused({ lostBtf: digest, field: `${field}Digest` });
  }
  try {
    return await unwrapBtf(bytes, budget);
  } catch (error) {
    throw error instanceof ServiceError ? new Refused({ badBtf: error.detail, field }) : error;
  }
}
