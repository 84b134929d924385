/** Exception callbacks: subprograms that a declaration tag of the program names (bpf_prog_assign_exc_cb, libbpf 1.5). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { EINVAL, ENOENT, refuse } from './failure.js';
import type { ObjectModel, ObjectProgram, Refusal } from './model.js';

export class ExceptionCallbacks {
  private tags: ExceptionTags | null = null;

  constructor(private readonly model: ObjectModel) {}

  /** The callback's function, null for programs without one, or libbpf's refusal. */
  find(main: ObjectProgram): ObjectProgram | Refusal | null {
    const bad = (message: string, errno = EINVAL): Refusal =>
      refuse('EXCEPTION_CALLBACK', `prog '${main.name}': ${message}`, errno, { symbol: main.name });
    this.tags ??= collectTags(this.model.btf);
    if (this.tags.misplaced) return bad('exception_callback:<value> decl tag not applied to the main program');
    const names = this.tags.byFunction.get(main.name) ?? [];
    const name = names[0];
    if (name === undefined) return null;
    if (name === '') return bad('exception_callback:<value> decl tag contains empty value');
    const callback = this.model.programs.find((one) => one.isSubprogram && one.name === name);
    if (callback === undefined) return bad(`cannot find exception callback '${name}'`, ENOENT);
    if (!callback.isGlobal || callback.isHidden) {
      return bad(`exception callback ${callback.name} must be a global non-hidden function`);
    }
    return names.length > 1 ? null : callback; // several: for the verifier to refuse
  }
}

interface ExceptionTags {
  /** Values by the name of the function they are attached to. */
  readonly byFunction: ReadonlyMap<string, readonly string[]>;
  /** Whether one is attached to something that is no global function. */
  readonly misplaced: boolean;
}

const EXCEPTION_TAG = 'exception_callback:';

function collectTags(btf: Btf | null): ExceptionTags {
  const byFunction = new Map<string, string[]>();
  let misplaced = false;
  for (let id = btf?.firstId ?? 0; btf !== null && id < btf.typeCount; id++) {
    if (btf.kind(id) !== kind.KIND_DECL_TAG || btf.declTagComponent(id) !== -1) continue;
    const text = btf.typeName(id);
    if (!text.startsWith(EXCEPTION_TAG)) continue;
    const target = btf.sizeOrType(id);
    misplaced ||= btf.kind(target) !== kind.KIND_FUNC || btf.linkage(target) !== kind.LINKAGE_GLOBAL;
    const name = btf.typeName(target);
    const value = text.slice(EXCEPTION_TAG.length);
    if (!byFunction.get(name)?.push(value)) byFunction.set(name, [value]);
  }
  return { byFunction, misplaced };
}
