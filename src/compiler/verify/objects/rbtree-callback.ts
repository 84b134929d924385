import type { Env } from '../env.js';
import { kernelTypes } from '../kernel/types.js';

/** A frame on the way here is the callback of a tree function, which runs with the tree's lock held. */
export function inRbtreeCallback(env: Env): boolean {
  const { frames, currentFrame } = env.state;
  for (let i = currentFrame; i > 0; i--) {
    const frame = frames[i]!;
    if (!frame.inCallbackFn) continue;
    if (isRbtreeFunction(env, env.insns.imm(frame.callsite))) return true;
  }
  return false;
}

export function isRbtreeFunction(env: Env, functionId: number): boolean {
  const name = kernelTypes(env).special(functionId);
  return name === 'bpf_rbtree_add_impl' || name === 'bpf_rbtree_remove' || name === 'bpf_rbtree_first';
}

export function isListFunction(env: Env, functionId: number): boolean {
  switch (kernelTypes(env).special(functionId)) {
    case 'bpf_list_push_front_impl':
    case 'bpf_list_push_back_impl':
    case 'bpf_list_pop_front':
    case 'bpf_list_pop_back':
      return true;
    default:
      return false;
  }
}
