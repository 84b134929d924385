/** What a program's license lets it call (include/linux/license.h, Linux 6.12). */

/** Licenses that may call what is for GPL programs only. */
const GPL_LICENSES: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

export function isGplCompatible(license: string): boolean {
  return GPL_LICENSES.has(license);
}
