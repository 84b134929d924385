/**
 * Resolves CO-RE relocations against a target's types, as libbpf 1.5 does: every candidate that has what the relocation
 * accesses must agree on the value, and candidates that do not have it are dropped for later relocations of the same type.
 */
import type { Btf } from '../btf/btf.js';
import { libbpfKindName } from '../btf/print.js';
import type { Budget } from './budget.js';
import { calculate, type Resolution } from './calculate.js';
import { findCandidates, type Candidate } from './candidates.js';
import { findTarget } from './find-target.js';
import { relocationKindName, TYPE_ID_LOCAL, type CoreRelocation } from './relocation.js';
import { parseSpec, type Spec } from './spec.js';

const EINVAL = -22;
const EOPNOTSUPP = -95;

export interface CoreFailure {
  readonly message: string;
  readonly errno: number;
}

/** What holds for all programs of an object: candidates before any is dropped, and answers that do not depend on that. */
export class CoreCache {
  readonly candidates = new Map<number, readonly Candidate[]>();
  readonly answers = new Map<string, Resolution | CoreFailure>();
  /** Whether an answer was given that may depend on the relocations before it. */
  dependsOnOrder = false;
}

/** One program's relocations, in order. */
export class CoreResolver {
  private readonly candidates = new Map<number, readonly Candidate[]>();

  constructor(
    private readonly local: Btf,
    private readonly target: Btf,
    private readonly budget: Budget,
    private readonly cache = new CoreCache(),
    /** BTF of the target's modules. */
    private readonly modules: readonly Btf[] = [],
  ) {}

  /** What the relocation comes to, or why it comes to nothing. */
  resolve(relocation: CoreRelocation): Resolution | CoreFailure {
    const key = `${relocation.typeId}:${relocation.accessOff}:${relocation.kind}`;
    const known = this.cache.answers.get(key);
    if (known !== undefined) return known;
    const answer = this.resolveAnew(relocation);
    // With one candidate at most, earlier relocations cannot have dropped any.
    if ((this.cache.candidates.get(relocation.typeId)?.length ?? 0) <= 1) this.cache.answers.set(key, answer);
    else this.cache.dependsOnOrder = true;
    return answer;
  }

  private resolveAnew(relocation: CoreRelocation): Resolution | CoreFailure {
    if (!this.local.has(relocation.typeId)) return { message: 'failed to relocate', errno: EINVAL };
    const name = this.local.typeName(relocation.typeId);
    const spec = parseSpec(this.local, relocation);
    if (typeof spec === 'number') return this.parseFailure(relocation, name, spec);
    if (relocation.kind === TYPE_ID_LOCAL) return localTypeId(relocation);
    if (name === '') return anonymous(relocation);
    return this.resolveAmong(this.candidatesOf(relocation.typeId), relocation, spec);
  }

  private parseFailure(relocation: CoreRelocation, name: string, errno: number): CoreFailure {
    const { typeId } = relocation;
    const type = `[${typeId}] ${libbpfKindName(this.local.kind(typeId))} ${name === '' ? '<anon>' : name}`;
    const access = this.local.string(relocation.accessOff);
    return { message: `parsing ${type} + ${access} failed: ${errno}`, errno: EINVAL };
  }

  private candidatesOf(typeId: number): readonly Candidate[] {
    const left = this.candidates.get(typeId);
    if (left !== undefined) return left;
    let ids = this.cache.candidates.get(typeId);
    if (ids === undefined) {
      ids = findCandidates(this.local, typeId, this.target, this.modules, this.budget);
      this.cache.candidates.set(typeId, ids);
    }
    return ids;
  }

  private resolveAmong(
    candidates: readonly Candidate[],
    relocation: CoreRelocation,
    local: Spec,
  ): Resolution | CoreFailure {
    let chosen: { spec: Spec; resolution: Resolution } | null = null;
    const matching: Candidate[] = [];
    for (const [i, candidate] of candidates.entries()) {
      const spec = findTarget(local, candidate.btf, candidate.id, this.budget);
      if (typeof spec === 'number') return { message: `error matching candidate #${i}: ${spec}`, errno: spec };
      if (spec === null) continue;
      const resolution = calculate(local, spec, this.target.byteOrder);
      if (typeof resolution === 'number') return cannotCalculate(relocation, resolution);
      const conflict = chosen === null ? null : disagreement(chosen.spec, chosen.resolution, spec, resolution);
      if (conflict !== null) return { message: conflict, errno: EINVAL };
      chosen ??= { spec, resolution };
      matching.push(candidate);
    }
    if (chosen === null) {
      const resolution = calculate(local, null, this.target.byteOrder);
      return typeof resolution === 'number' ? cannotCalculate(relocation, resolution) : resolution;
    }
    this.candidates.set(relocation.typeId, matching);
    return chosen.resolution;
  }
}

/** Whether an answer of `resolve` is a failure. */
export function isCoreFailure(answer: Resolution | CoreFailure): answer is CoreFailure {
  return 'message' in answer;
}

function localTypeId({ typeId }: CoreRelocation): Resolution {
  const id = BigInt(typeId);
  return { original: id, value: id, poison: false, validate: false, originalSize: 0, size: 0, sizeMismatch: false };
}

function anonymous({ kind }: CoreRelocation): CoreFailure {
  const message = `<${relocationKindName(kind)}> (${kind}) relocation doesn't support anonymous types`;
  return { message, errno: EOPNOTSUPP };
}

function cannotCalculate({ kind }: CoreRelocation, errno: number): CoreFailure {
  if (errno !== EOPNOTSUPP) return { message: `failed to relocate: ${errno}`, errno };
  return { message: `unrecognized CO-RE relocation ${relocationKindName(kind)} (${kind})`, errno };
}

function disagreement(spec: Spec, resolution: Resolution, other: Spec, otherResolution: Resolution): string | null {
  if (other.bitOffset !== spec.bitOffset) return `field offset ambiguity: ${other.bitOffset} != ${spec.bitOffset}`;
  if (otherResolution.poison === resolution.poison && otherResolution.value === resolution.value) return null;
  const verdict = (one: Resolution): string => `${one.poison ? 'failure' : 'success'} ${one.value}`;
  return `relocation decision ambiguity: ${verdict(otherResolution)} != ${verdict(resolution)}`;
}
