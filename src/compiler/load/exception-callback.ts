/** Exception callbacks: subprograms that a declaration tag of the program names (bpf_prog_assign_exc_cb, libbpf 1.5). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { EINVAL, ENOENT, refuse } from './failure.js';
import type { ObjectModel, ObjectProgram, Refusal } from './model.js';

export class ExceptionCallbacks {
  private tags: readonly ExceptionTag[] | null = null;

  constructor(private readonly model: ObjectModel) {}

  /** The callback's function, null for programs without one, or libbpf's refusal. */
  find(main: ObjectProgram): ObjectProgram | Refusal | null {
    const bad = (message: string, errno = EINVAL): Refusal =>
      refuse('EXCEPTION_CALLBACK', `prog '${main.name}': ${message}`, errno, { symbol: main.name });
    let callback: ObjectProgram | null = null;
    for (const tag of this.allTags()) {
      if (!tag.isGlobalFunction) return bad('exception_callback:<value> decl tag not applied to the main program');
      if (tag.functionName !== main.name) continue;
      if (callback !== null) return null; // several: for the verifier to refuse
      if (tag.value === '') return bad('exception_callback:<value> decl tag contains empty value');
      callback = this.model.programs.find((one) => one.isSubprogram && one.name === tag.value) ?? null;
      if (callback === null) return bad(`cannot find exception callback '${tag.value}'`, ENOENT);
      if (!callback.isGlobal || callback.isHidden) {
        return bad(`exception callback ${callback.name} must be a global non-hidden function`);
      }
    }
    return callback;
  }

  private allTags(): readonly ExceptionTag[] {
    this.tags ??= this.model.btf === null ? [] : exceptionTags(this.model.btf);
    return this.tags;
  }
}

interface ExceptionTag {
  readonly value: string;
  readonly functionName: string;
  readonly isGlobalFunction: boolean;
}

const EXCEPTION_TAG = 'exception_callback:';

function exceptionTags(btf: Btf): ExceptionTag[] {
  const tags: ExceptionTag[] = [];
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) !== kind.KIND_DECL_TAG || btf.declTagComponent(id) !== -1) continue;
    const text = btf.typeName(id);
    if (!text.startsWith(EXCEPTION_TAG)) continue;
    const target = btf.sizeOrType(id);
    const isGlobalFunction = btf.kind(target) === kind.KIND_FUNC && btf.linkage(target) === kind.LINKAGE_GLOBAL;
    tags.push({ value: text.slice(EXCEPTION_TAG.length), functionName: btf.typeName(target), isGlobalFunction });
  }
  return tags;
}
