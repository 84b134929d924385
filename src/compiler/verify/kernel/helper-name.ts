import type { Profile } from '../../targets/profile.js';

/** A helper as the log names it: "bpf_map_lookup_elem", "unknown" for numbers beyond the last one (func_id_name). */
export function helperName(profile: Profile, id: number): string {
  const name = profile.helperName(id);
  return name === null ? 'unknown' : `bpf_${name}`;
}

/** "bpf_map_lookup_elem#1". */
export function helperLabel(profile: Profile, id: number): string {
  return `${helperName(profile, id)}#${id}`;
}
