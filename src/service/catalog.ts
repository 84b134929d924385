/** The targets this instance compiles for. */
import { openKernelBtf } from '../compiler/kernel-btf.js';
import { decodeProfile } from '../compiler/targets/decode.js';
import { targetMessage } from './contract/from-compiler.js';
import type { Message } from './contract/schema.js';
import type { TargetFiles } from './pool/protocol.js';

export class TargetCatalog {
  /** TargetInfo messages, the default's first. */
  readonly messages: readonly Message[];

  /** `targets`: the default first. */
  constructor(targets: readonly TargetFiles[]) {
    this.messages = targets.map(targetInfo);
  }
}

function targetInfo(target: TargetFiles): Message {
  const profile = decodeProfile(target.files, openKernelBtf(target.btf));
  return {
    ...targetMessage(profile, target.digest),
    cpuFeatures: profile.cpuFeatures,
    features: profile.features,
  };
}
