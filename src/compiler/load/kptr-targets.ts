import type { KptrTargets } from '../btf/parse-record.js';
import type { LoaderProfile } from './loader-profile.js';

/** The kernel's lists of structs that maps may own, each with its destructor behind it (register_btf_id_dtor_kfuncs). */
const DESTRUCTOR_LISTS = [
  'generic_dtor_ids',
  'cpumask_dtor_ids',
  'bpf_crypto_dtor_ids',
  'bpf_prog_test_dtor_kfunc_ids',
] as const;

/** What kptrs in map values and objects are resolved against. */
export function kptrTargets(profile: LoaderProfile): KptrTargets {
  return {
    btf: profile.btf,
    hasDestructor: (typeId) => DESTRUCTOR_LISTS.some((list) => profile.btfIdSet(list).has(typeId)),
  };
}
