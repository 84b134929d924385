/**
 * The kernel's second pass over a program's BTF: what each type refers to exists, fits and has no end-less size
 * (btf_check_all_types and btf_resolve, kernel/bpf/btf.c, 6.12).
 *
 * Types are resolved depth first with a stack of at most 32. What may be left unresolved behind a type (a sink) depends on
 * what is being resolved: pointers end structs and arrays, structs end pointers; so only real cycles are found.
 */
import * as kind from '../kinds.js';
import { MAX_RESOLVE_DEPTH, POINTER_BYTES } from '../layout.js';
import { E2BIG, EEXIST, type CheckContext } from './context.js';
import { checkMember } from './members.js';

const NOT_VISITED = 0;
const VISITED = 1;
const RESOLVED = 2;

const U32_MAX = 0xffff_ffff;

type Mode = 'undecided' | 'pointer' | 'struct';

interface Vertex {
  readonly id: number;
  /** First member or variable that is still to be looked at. */
  next: number;
}

/** Checks all types that `checkMetas` found; 0 or a negative errno. */
export function resolveTypes(context: CheckContext): number {
  context.isFirstPhase = false;
  const resolver = new Resolver(context);
  for (let id = 1; id < context.at.length; id++) {
    context.logTypeId = id;
    const err = resolver.check(id);
    if (err < 0) return err;
  }
  return 0;
}

class Resolver {
  private readonly states: Uint8Array;
  private readonly resolvedIds: Uint32Array;
  private readonly resolvedSizes: Uint32Array;
  private readonly stack: Vertex[] = [];
  private mode: Mode = 'undecided';

  constructor(private readonly context: CheckContext) {
    const count = context.at.length;
    this.states = new Uint8Array(count);
    this.resolvedIds = new Uint32Array(count);
    this.resolvedSizes = new Uint32Array(count);
  }

  check(id: number): number {
    if (this.needsResolve(id) && !this.isResolved(id)) {
      const err = this.resolve(id);
      if (err < 0) return err;
    }
    return this.context.kind(id) === kind.KIND_FUNC_PROTO ? this.checkPrototype(id) : 0;
  }

  private resolve(id: number): number {
    const { context } = this;
    const saved = context.logTypeId;
    this.mode = 'undecided';
    this.push(id);
    let err = 0;
    while (err === 0 && this.stack.length > 0) {
      const vertex = this.stack.at(-1)!;
      context.logTypeId = vertex.id;
      err = this.step(vertex);
    }
    context.logTypeId = id;
    if (err === E2BIG) context.logType(id, `Exceeded max resolving depth:${MAX_RESOLVE_DEPTH}`);
    else if (err === EEXIST) context.logType(id, 'Loop detected');
    else if (err === 0 && !this.isValid(id)) err = context.refuseType(id, 'Invalid resolve state');
    context.logTypeId = saved;
    return err;
  }

  /** Goes on with the type on top of the stack: pushes what it needs, or takes it off resolved. */
  private step(vertex: Vertex): number {
    const { context } = this;
    switch (context.kind(vertex.id)) {
      case kind.KIND_PTR:
        return this.stepPointer(vertex.id);
      case kind.KIND_ARRAY:
        return this.stepArray(vertex.id);
      case kind.KIND_STRUCT:
      case kind.KIND_UNION:
        return this.stepStruct(vertex);
      case kind.KIND_VAR:
        return this.stepVariable(vertex.id);
      case kind.KIND_DATASEC:
        return this.stepSection(vertex);
      case kind.KIND_FUNC:
        return this.stepFunction(vertex.id);
      case kind.KIND_DECL_TAG:
        return this.stepDeclTag(vertex.id);
      default:
        return this.stepModifier(vertex.id);
    }
  }

  private push(id: number): number {
    if (this.stack.length === MAX_RESOLVE_DEPTH) return E2BIG;
    if (this.states[id] !== NOT_VISITED) return EEXIST;
    this.states[id] = VISITED;
    this.stack.push({ id, next: 0 });
    if (this.mode === 'undecided') {
      if (this.context.kind(id) === kind.KIND_PTR) this.mode = 'pointer';
      else if (this.context.isStruct(id) || this.context.kind(id) === kind.KIND_ARRAY) this.mode = 'struct';
    }
    return 0;
  }

  private pop(resolvedId: number, size: number): number {
    const { id } = this.stack.pop()!;
    this.resolvedIds[id] = resolvedId;
    this.resolvedSizes[id] = size;
    this.states[id] = RESOLVED;
    return 0;
  }

  private isResolved(id: number): boolean {
    return this.states[id] === RESOLVED;
  }

  private needsResolve(id: number): boolean {
    switch (this.context.kind(id)) {
      case kind.KIND_VOID:
      case kind.KIND_INT:
      case kind.KIND_ENUM:
      case kind.KIND_ENUM64:
      case kind.KIND_FWD:
      case kind.KIND_FLOAT:
      case kind.KIND_FUNC_PROTO:
        return false;
      default:
        return true;
    }
  }

  private isSink(id: number): boolean {
    const { context } = this;
    const isPointer = context.kind(id) === kind.KIND_PTR;
    switch (this.mode) {
      case 'undecided':
        return !this.needsResolve(id);
      case 'pointer':
        return !context.isModifier(id) && !isPointer;
      case 'struct':
        return !context.isModifier(id) && context.kind(id) !== kind.KIND_ARRAY && !context.isStruct(id);
    }
  }

  /** Whether a type must be pushed before what refers to it can be taken off. */
  private isPending(id: number): boolean {
    return !this.isSink(id) && !this.isResolved(id);
  }

  private isNoTarget(id: number): boolean {
    const { context } = this;
    if (!context.has(id)) return true;
    const k = context.kind(id);
    return k === kind.KIND_VAR || k === kind.KIND_DECL_TAG || k === kind.KIND_DATASEC;
  }

  private hasNoSize(id: number): boolean {
    switch (this.context.kind(id)) {
      case kind.KIND_VOID:
      case kind.KIND_FWD:
      case kind.KIND_FUNC:
      case kind.KIND_FUNC_PROTO:
      case kind.KIND_DECL_TAG:
        return true;
      default:
        return false;
    }
  }

  /** The type with a size behind an id, and its size (btf_type_id_size). */
  sized(id: number): { readonly id: number; readonly size: number } | null {
    const { context } = this;
    if (!context.has(id) || this.hasNoSize(id)) return null;
    const isIndirect = context.isModifier(id) || context.kind(id) === kind.KIND_VAR;
    const target = isIndirect ? this.resolvedIds[id]! : id;
    if (this.hasNoSize(target)) return null;
    switch (context.kind(target)) {
      case kind.KIND_ARRAY:
        return { id: target, size: this.resolvedSizes[target]! };
      case kind.KIND_PTR:
        return { id: target, size: POINTER_BYTES };
      case kind.KIND_VAR:
        return null;
      default:
        return context.isModifier(target) ? null : { id: target, size: context.sizeOrType(target) };
    }
  }

  /** Takes a modifier or pointer off: what is behind it has a size, or is void, a forward declaration or a function. */
  private popReference(id: number, next: number): number {
    const { context } = this;
    const sized = this.sized(next);
    if (sized !== null) return this.pop(sized.id, 0);
    const target = this.isResolved(next) ? this.resolvedIds[next]! : next;
    const k = context.kind(target);
    const isSizeless = k === kind.KIND_VOID || k === kind.KIND_FWD || k === kind.KIND_FUNC_PROTO;
    return isSizeless ? this.pop(target, 0) : context.refuseType(id, 'Invalid type_id');
  }

  private stepModifier(id: number): number {
    const next = this.context.sizeOrType(id);
    if (this.isNoTarget(next)) return this.context.refuseType(id, 'Invalid type_id');
    return this.isPending(next) ? this.push(next) : this.popReference(id, next);
  }

  /** A pointer that a modifier stopped at while a struct was resolved is followed now. */
  private pendingPointerBehind(next: number): number {
    const { context } = this;
    if (!context.isModifier(next)) return 0;
    const target = this.resolvedIds[next]!;
    return context.kind(target) === kind.KIND_PTR && this.isPending(target) ? target : 0;
  }

  private stepPointer(id: number): number {
    const next = this.context.sizeOrType(id);
    if (this.isNoTarget(next)) return this.context.refuseType(id, 'Invalid type_id');
    if (this.isPending(next)) return this.push(next);
    const behind = this.pendingPointerBehind(next);
    return behind !== 0 ? this.push(behind) : this.popReference(id, next);
  }

  private stepVariable(id: number): number {
    const next = this.context.sizeOrType(id);
    if (this.isNoTarget(next)) return this.context.refuseType(id, 'Invalid type_id');
    if (this.isPending(next)) return this.push(next);
    const behind = this.pendingPointerBehind(next);
    if (behind !== 0) return this.push(behind);
    const sized = this.sized(next);
    return sized === null ? this.context.refuseType(id, 'Invalid type_id') : this.pop(sized.id, 0);
  }

  private stepArray(id: number): number {
    const { context } = this;
    const index = context.extra(id, 1);
    if (this.isNoTarget(index) || this.hasNoSize(index)) return context.refuseType(id, 'Invalid index');
    if (this.isPending(index)) return this.push(index);
    const sizedIndex = this.sized(index);
    const isInt = sizedIndex !== null && context.kind(sizedIndex.id) === kind.KIND_INT;
    if (!isInt || !context.isRegularInt(sizedIndex.id)) return context.refuseType(id, 'Invalid index');
    const element = context.extra(id, 0);
    if (this.isNoTarget(element) || this.hasNoSize(element)) return context.refuseType(id, 'Invalid elem');
    if (this.isPending(element)) return this.push(element);
    const sized = this.sized(element);
    if (sized === null) return context.refuseType(id, 'Invalid elem');
    if (context.kind(sized.id) === kind.KIND_INT && !context.isRegularInt(sized.id)) {
      return context.refuseType(id, 'Invalid array of int');
    }
    const bytes = sized.size * context.extra(id, 2);
    if (bytes > U32_MAX) return context.refuseType(id, 'Array size overflows U32_MAX');
    return this.pop(sized.id, bytes);
  }

  private stepStruct(vertex: Vertex): number {
    const { context } = this;
    const { id } = vertex;
    if (vertex.next > 0) {
      const err = checkMember(context, this, id, vertex.next - 1);
      if (err < 0) return err;
    }
    const count = context.vlen(id);
    for (let i = vertex.next; i < count; i++) {
      const type = context.extra(id, i * 3 + 1);
      if (this.isNoTarget(type) || this.hasNoSize(type)) return context.refuseMember(id, i, 'Invalid member');
      if (this.isPending(type)) {
        vertex.next = i + 1;
        return this.push(type);
      }
      const err = checkMember(context, this, id, i);
      if (err < 0) return err;
    }
    return this.pop(0, 0);
  }

  private stepSection(vertex: Vertex): number {
    const { context } = this;
    const { id } = vertex;
    this.mode = 'undecided';
    for (let i = vertex.next; i < context.vlen(id); i++) {
      const variable = context.extra(id, i * 3);
      const isVariable = context.has(variable) && context.kind(variable) === kind.KIND_VAR;
      if (!isVariable) return context.refuseVariable(id, i, 'Not a VAR kind member');
      if (this.isPending(variable)) {
        vertex.next = i + 1;
        return this.push(variable);
      }
      const sized = this.sized(context.sizeOrType(variable));
      if (sized === null) return context.refuseVariable(id, i, 'Invalid type');
      if (context.extra(id, i * 3 + 2) < sized.size) return context.refuseVariable(id, i, 'Invalid size');
    }
    return this.pop(0, 0);
  }

  private stepFunction(id: number): number {
    const { context } = this;
    const prototype = context.sizeOrType(id);
    const isPrototype = context.has(prototype) && context.kind(prototype) === kind.KIND_FUNC_PROTO;
    if (!isPrototype) return context.refuseType(id, 'Invalid type_id');
    for (let i = 0; i < context.vlen(prototype); i++) {
      const isUnnamed = context.extra(prototype, i * 2) === 0;
      if (isUnnamed && context.extra(prototype, i * 2 + 1) !== 0) return context.refuseType(id, `Invalid arg#${i + 1}`);
    }
    return this.pop(prototype, 0);
  }

  private stepDeclTag(id: number): number {
    const { context } = this;
    const target = context.sizeOrType(id);
    const k = context.has(target) ? context.kind(target) : kind.KIND_VOID;
    const isTagged = k === kind.KIND_FUNC || k === kind.KIND_VAR || k === kind.KIND_TYPEDEF || context.isStruct(target);
    if (!context.has(target) || !isTagged) return context.refuseType(id, 'Invalid type_id');
    if (this.isPending(target)) return this.push(target);
    const component = context.extra(id, 0);
    if ((component | 0) === -1) return this.pop(target, 0);
    const isWhole = k === kind.KIND_VAR || k === kind.KIND_TYPEDEF;
    const owner = k === kind.KIND_FUNC ? context.sizeOrType(target) : target;
    if (isWhole || component >= context.vlen(owner)) return context.refuseType(id, 'Invalid component_idx');
    return this.pop(target, 0);
  }

  /** What must hold of a type once it is resolved. */
  private isValid(id: number): boolean {
    const { context } = this;
    if (!this.isResolved(id)) return false;
    const target = this.resolvedIds[id]!;
    const size = this.resolvedSizes[id]!;
    switch (context.kind(id)) {
      case kind.KIND_STRUCT:
      case kind.KIND_UNION:
      case kind.KIND_DATASEC:
        return target === 0 && size === 0;
      case kind.KIND_DECL_TAG:
      case kind.KIND_FUNC:
        return target !== 0 && size === 0;
      case kind.KIND_ARRAY: {
        const element = this.sized(context.extra(id, 0));
        return element !== null && Math.imul(context.extra(id, 2), element.size) >>> 0 === size;
      }
      default: {
        const k = context.kind(target);
        return !context.isModifier(target) && k !== kind.KIND_VAR && k !== kind.KIND_DATASEC;
      }
    }
  }

  private checkPrototype(id: number): number {
    const { context } = this;
    const result = context.sizeOrType(id);
    if (result !== 0) {
      const err = this.checkValue(result, () => context.refuseType(id, 'Invalid return type'));
      if (err < 0) return err;
    }
    let count = context.vlen(id);
    if (count > 0 && context.extra(id, count * 2 - 1) === 0) {
      if (context.extra(id, count * 2 - 2) !== 0) return context.refuseType(id, `Invalid arg#${count}`);
      count--;
    }
    for (let i = 0; i < count; i++) {
      const refuse = (): number => context.refuseType(id, `Invalid arg#${i + 1}`);
      const name = context.extra(id, i * 2);
      const type = context.extra(id, i * 2 + 1);
      if (this.isNoTarget(type)) return refuse();
      if (name !== 0 && !(context.isValidOffset(name) && context.isIdentifier(name))) return refuse();
      const err = this.checkValue(type, refuse);
      if (err < 0) return err;
    }
    return 0;
  }

  /** A parameter's or result's type has a size. */
  private checkValue(type: number, refuse: () => number): number {
    if (this.isNoTarget(type)) return refuse();
    if (this.needsResolve(type) && !this.isResolved(type)) {
      const err = this.resolve(type);
      if (err < 0) return err;
    }
    return this.sized(type) === null ? refuse() : 0;
  }
}
