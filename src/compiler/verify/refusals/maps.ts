/** Maps that a program, or a helper, cannot use. */
import type { Profile } from '../../targets/profile.js';
import { helperLabel } from '../kernel/helper-name.js';
import { EINVAL } from '../errno.js';
import { catalogue } from './refusal.js';

export const MAPS = catalogue({
  socketMapUpdate: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Programs of this type cannot change socket maps.',
    sentence: () => `cannot update sockmap in this context`,
  },
  mapNotForHelper: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The helper does not work on maps of this type.',
    sentence: (type: number, profile: Profile, id: number) =>
      `cannot pass map_type ${type} into func ${helperLabel(profile, id)}`,
  },
  lockInSocketFilter: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Programs of this type cannot use maps with spin locks.',
    sentence: () => `socket filter progs cannot use bpf_spin_lock yet`,
  },
  fieldNotForTracing: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Tracing programs could interrupt the users of this field.',
    sentence: (name: string) => `tracing progs cannot use ${name} yet`,
  },
  structOpsMap: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Operations are registered by user space alone.',
    sentence: () => `bpf_struct_ops map cannot be used in prog`,
  },
  mapNotSleepable: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: "The map's elements may go away while a sleepable program uses them.",
    sentence: () => `Sleepable programs can only use array, hash, ringbuf and local storage maps`,
  },
  tailCallInterpreted: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'This kernel cannot leave the frames of functions with a tail call.',
    sentence: () => 'tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls',
  },
});
