import type { Env } from '../env.js';

/** A helper as the log names it: "bpf_map_lookup_elem", "unknown" for numbers beyond the last one (func_id_name). */
export function helperName(env: Env, id: number): string {
  const name = env.profile.helperName(id);
  return name === null ? 'unknown' : `bpf_${name}`;
}

/** "bpf_map_lookup_elem#1". */
export function helperLabel(env: Env, id: number): string {
  return `${helperName(env, id)}#${id}`;
}
