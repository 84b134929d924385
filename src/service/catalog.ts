/** The targets this instance compiles for. */
import { openKernelBtf } from '../compiler/kernel-btf.js';
import { decodeProfile } from '../compiler/targets/decode.js';
import { targetMessage } from './contract/from-compiler.js';
import type { Message } from './contract/schema.js';
import { ServiceError } from './errors.js';
import type { TargetFiles } from './pool/protocol.js';

export interface CatalogEntry {
  readonly name: string;
  /** SHA-256 over the profile's files: part of every compilation's digest. */
  readonly digest: string;
  /** Its TargetInfo. */
  readonly message: Message;
}

export class TargetCatalog {
  private readonly entries: ReadonlyMap<string, CatalogEntry>;

  /** `targets`: the default first. */
  constructor(targets: readonly TargetFiles[]) {
    this.entries = new Map(targets.map((target) => [target.name, catalogEntry(target)]));
  }

  /** TargetInfo messages, the default's first. */
  get messages(): readonly Message[] {
    return [...this.entries.values()].map((entry) => entry.message);
  }

  /** By name, the default for ''. Throws ServiceError UNKNOWN_TARGET. */
  find(name: string): CatalogEntry {
    const entry = name === '' ? this.entries.values().next().value : this.entries.get(name);
    if (entry === undefined) {
      const known = [...this.entries.keys()].join(', ');
      throw new ServiceError('UNKNOWN_TARGET', `the targets are: ${known}`, { field: 'target.kernel' });
    }
    return entry;
  }
}

function catalogEntry(target: TargetFiles): CatalogEntry {
  const profile = decodeProfile(target.files, openKernelBtf(target.btf));
  return {
    name: target.name,
    digest: target.digest,
    message: {
      ...targetMessage(profile, target.digest),
      cpuFeatures: profile.cpuFeatures,
      features: profile.features,
    },
  };
}
