import type { Profile } from '../targets/profile.js';

/**
 * What loading an object needs to know of a kernel: a part of a profile, so that objects can also be loaded for a kernel
 * of which no more than this is known.
 */
export type LoaderProfile = Pick<
  Profile,
  | 'btf'
  | 'byteOrder'
  | 'modules'
  | 'symbols'
  | 'config'
  | 'release'
  | 'pageSize'
  | 'possibleCpus'
  | 'mapOps'
  | 'takesAttachType'
  | 'btfIdSet'
>;
