/** Objects with rules of their own: dynptrs, iterators, locks, lists, trees, references. */
import { regTypeName } from '../log/register.js';
import { PTR_TO_BTF_ID, PTR_UNTRUSTED } from '../../targets/types.js';
import type { MapSpec } from '../../load/program.js';
import type { Btf } from '../../btf/btf.js';
import { decimalS } from '../domain/u64.js';
import { EINVAL, EFAULT, EPROTO, EACCES } from '../errno.js';
import { catalogue } from './refusal.js';

export const OBJECTS = catalogue({
  dynptrInitialised: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The dynptr is in use.',
    sentence: () => `Dynptr has to be an uninitialized dynptr`,
  },
  dynptrConst: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The dynptr was handed to the program, and the function would change it.',
    sentence: () => `cannot pass pointer to const bpf_dynptr, the helper mutates it`,
  },
  dynptrUninitialised: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The argument is no dynptr.',
    sentence: (regno: number) => `Expected an initialized dynptr as arg #${regno - 1}`,
  },
  dynptrType: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The argument is a dynptr of another kind.',
    sentence: (name: string, regno: number) => `Expected a dynptr of type ${name} as arg #${regno - 1}`,
  },
  dynptrArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The argument must be a dynptr.',
    sentence: (regno: number) => `arg#${regno - 1} expected pointer to stack or const struct bpf_dynptr`,
  },
  dynptrFlags: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The prototype asks for a dynptr in no known way.',
    sentence: () => `verifier internal error: misconfigured dynptr helper type flags`,
  },
  objectVariableOffset: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'Objects kept on the stack are passed at known offsets alone.',
    sentence: (kind: string) => `${kind} has to be at a constant offset`,
  },
  objectOffset: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'Objects kept on the stack begin at multiples of 8 bytes.',
    sentence: (kind: string, off: number) => `cannot pass in ${kind} at an offset=${off}`,
  },
  dynptrReference: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The reference of a dynptr is not known.',
    sentence: () => `verifier internal error: misconfigured ref_obj_id`,
  },
  overwritesDynptr: {
    class: 'REFERENCE',
    errno: EINVAL,
    means: 'The dynptr must be released before it is written over.',
    sentence: () => `cannot overwrite referenced dynptr`,
  },
  otherLockHeld: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The lock that is held is not the one that lies beside the list or tree.',
    sentence: () => `held lock and object are not in the same allocation`,
  },
  rootArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'Lists and trees lie in map values and allocated objects.',
    sentence: (regno: number) => `arg#${regno - 1} expected pointer to map value or allocated object`,
  },
  rootFunctionUnknown: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The verifier has no rule for lists or trees of this function.',
    sentence: (name: string) => `verifier internal error: ${name} head arg for unknown kfunc`,
  },
  fieldVariableOffset: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    register: true,
    means: 'Where the field lies must be known.',
    sentence: (regno: number, name: string) =>
      `R${regno} doesn't have constant offset. ${name} has to be at the constant offset`,
  },
  noFieldThere: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'No such field lies at this offset.',
    sentence: (name: string, off: number) => `${name} not found at offset=${off >>> 0}`,
  },
  lockNotHeld: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The lock beside the list or tree must be held.',
    sentence: (lockOff: number, name: string) => `bpf_spin_lock at off=${lockOff} must be held for ${name}`,
  },
  rootTwice: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A call takes one list or tree.',
    sentence: (name: string) => `verifier internal error: repeating ${name} arg`,
  },
  nodeFunctionUnknown: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The verifier has no rule for nodes of this function.',
    sentence: (name: string) => `verifier internal error: ${name} node arg for unknown kfunc`,
  },
  nodeOfOtherStruct: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The list or tree holds nodes of another type.',
    sentence: (
      rootName: string,
      nodeName: string,
      nodeOff: number,
      rootBtf: Btf,
      rootId: number,
      off: number,
      btf: Btf,
      btfId: number,
    ) =>
      `operation on ${rootName} expects arg#1 ${nodeName} at offset=${nodeOff} in struct ${rootBtf.typeName(rootId)}, but arg is at offset=${off} in struct ${btf.typeName(btfId)}`,
  },
  nodeOffset: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The list or tree holds other nodes of this type.',
    sentence: (off: number, name: string, nodeOff: number, rootBtf: Btf, rootId: number) =>
      `arg#1 offset=${off}, but expected ${name} at offset=${nodeOff} in struct ${rootBtf.typeName(rootId)}`,
  },
  nodeArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The argument must be an object that the program allocated.',
    sentence: (regno: number) => `arg#${regno - 1} expected pointer to allocated object`,
  },
  removesOwned: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'What is removed from a tree stands in it, so that the program does not own it.',
    sentence: () => `rbtree_remove node input must be non-owning ref`,
  },
  removesInCallback: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'A tree cannot be changed while it is searched.',
    sentence: () => `rbtree_remove not allowed in rbtree cb`,
  },
  iteratorInitialised: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The iterator is in use.',
    sentence: (name: string, regno: number) => `expected uninitialized iter_${name} as arg #${regno - 1}`,
  },
  iteratorUninitialised: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The argument is no iterator of this kind.',
    sentence: (name: string, regno: number) => `expected an initialized iter_${name} as arg #${regno - 1}`,
  },
  iteratorOutsideRcu: {
    class: 'LOCKING',
    errno: EPROTO,
    means: 'The iterator is used in the RCU section that it was made in.',
    sentence: (name: string) => `expected an RCU CS when using ${name}`,
  },
  iteratorNotAllowed: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'This iterator needs a context that may sleep, or one of a few program types.',
    sentence: () => `css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs`,
  },
  iteratorArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The argument must be an iterator on the stack.',
    sentence: (arg: number) => `arg#${arg} expected pointer to an iterator on stack`,
  },
  iteratorType: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The argument must point to the struct of an iterator.',
    sentence: (arg: number) => `expected valid iter pointer as arg #${arg}`,
  },
  iteratorState: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The iterator is in an unknown state.',
    sentence: (state: number) => `verifier internal error: unexpected iterator state ${state} (<unknown>)`,
  },
  iteratorParent: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    unterminated: true,
    means: "The checkpoint of the iterator's loop is not known.",
    sentence: () => `bug: bad parent state for iter next call`,
  },
  kptrMapWithoutBtf: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The map was created without BTF, so that its fields are not known.',
    sentence: (name: string) => `map '${name}' has to have BTF in order to use bpf_kptr_xchg`,
  },
  kptrMissing: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    register: true,
    means: "The map's value holds no pointer.",
    sentence: (regno: number) => `R${regno} has no valid kptr`,
  },
  noKptrThere: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    means: 'No pointer lies at this offset.',
    sentence: (off: number) => `off=${off} doesn't point to kptr`,
  },
  kptrUnreferenced: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    means: 'The pointer at this offset is kept without a reference.',
    sentence: (off: number) => `off=${off} kptr isn't referenced kptr`,
  },
  fieldElsewhere: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The field lies at another offset.',
    sentence: (hi: number, lo: number, type: string, at: number) =>
      `off ${decimalS(hi, lo)} doesn't point to 'struct ${type}' that is at ${at}`,
  },
  lockMapWithoutBtf: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The map was created without BTF, so that its fields are not known.',
    sentence: (name: string) => `map '${name}' has to have BTF in order to use bpf_spin_lock`,
  },
  lockMissing: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'There is no lock in it.',
    sentence: (map: Pick<MapSpec, 'name'> | null) =>
      `${map === null ? "local 'kptr'" : `map '${map.name}'`} has no valid bpf_spin_lock`,
  },
  lockTwice: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'One lock is held at a time.',
    sentence: () => `Locking two bpf_spin_locks are not allowed`,
  },
  unlockUnheld: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'No lock is held.',
    sentence: () => `bpf_spin_unlock without taking a lock`,
  },
  unlockOther: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'Another lock is held.',
    sentence: () => `bpf_spin_unlock of different lock`,
  },
  timerMapWithoutBtf: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The map was created without BTF, so that its fields are not known.',
    sentence: (name: string) => `map '${name}' has to have BTF in order to use bpf_timer`,
  },
  timerMissing: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: "The map's value holds no timer.",
    sentence: (name: string) => `map '${name}' has no valid bpf_timer`,
  },
  timerTwice: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A call takes one timer.',
    sentence: () => `verifier bug. Two map pointers in a timer helper`,
  },
  ownershipLock: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Objects are handed over while a lock is held.',
    sentence: () => `verifier internal error: ref_set_non_owning w/o active lock`,
  },
  ownershipTwice: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The object was handed over before.',
    sentence: () => `verifier internal error: NON_OWN_REF already set`,
  },
  ownershipReference: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The object that is handed over is held with a reference.',
    sentence: () => `verifier internal error: ref_obj_id is zero for owning -> non-owning conversion`,
  },
  ownershipState: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The reference of the object that is handed over is not known.',
    sentence: () => `verifier internal error: ref state missing for ref_obj_id`,
  },
  referenceLeak: {
    class: 'REFERENCE',
    errno: EINVAL,
    cause: 1,
    means: 'The object must be released on every path.',
    sentence: (id: number, instruction: number) => `Unreleased reference id=${id} alloc_insn=${instruction}`,
  },
  dynptrKind: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    silent: true,
    means: 'The function makes no dynptr of a known kind.',
    sentence: () => 'the kind of the dynptr is not known',
  },
  referenceUnknown: {
    class: 'REFERENCE',
    errno: EINVAL,
    silent: true,
    means: 'What is released was never acquired in this function.',
    sentence: () => 'the function holds no such reference',
  },
  kptrType: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    register: true,
    means: 'The field keeps pointers to another type, or with other rights.',
    sentence: (regno: number, type: number, name: string, btf: Btf, wanted: number, untrusted: boolean) => {
      const expected = `expected=${regTypeName(PTR_TO_BTF_ID)}${btf.typeName(wanted)}`;
      const also = untrusted ? ` or ${regTypeName(PTR_TO_BTF_ID | PTR_UNTRUSTED)}${btf.typeName(wanted)}` : '';
      return `invalid kptr access, R${regno} type=${regTypeName(type)}${name} ${expected}${also}`;
    },
  },
});
