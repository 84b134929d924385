import { ALL_CAPABILITIES, isCapable } from './capabilities.js';
import type { AllowedRule, HelperData, KindPattern } from './data.js';
import type { HelperProto } from './profile.js';
import * as types from './types.js';

/** The helpers of a recorded kernel. */
export class HelperTable {
  /** Numbers of those that may move packet data. */
  readonly packetChangers: ReadonlySet<number>;
  /** Whether it was recorded which of them processes with less than all capabilities may call. */
  readonly knowsCapabilities: boolean;
  private readonly protos = new Map<number, HelperProto>();
  private readonly variants: readonly ReadonlyMap<number, number>[];
  /** By variant: capabilities that a helper takes. */
  private readonly needs: readonly ReadonlyMap<number, number>[];

  constructor(private readonly data: HelperData) {
    this.packetChangers = new Set(data.packetChangers);
    this.variants = data.variants.map((variant) => pairs(variant.helpers));
    this.needs = data.variants.map((variant) => pairs(variant.needs ?? []));
    this.knowsCapabilities = data.variants.some((variant) => variant.needs !== undefined);
  }

  /** Name by number ("map_lookup_elem"), whatever may call it; null for an unknown number. */
  name(id: number): string | null {
    return this.data.names[id] ?? null;
  }

  /** The prototype as this kind of program sees it, or null where it may not call it. */
  helper(
    progType: number,
    attachType: number,
    attachBtfId: number,
    id: number,
    sleepable: boolean,
    capabilities = ALL_CAPABILITIES,
  ): HelperProto | null {
    const index = this.protoIndex(progType, attachType, attachBtfId, id, sleepable, capabilities);
    if (index < 0) return null;
    const key = index * 1024 + id; // one prototype may serve two numbers
    let proto = this.protos.get(key);
    if (proto === undefined) {
      proto = this.decode(index, id);
      this.protos.set(key, proto);
    }
    return proto;
  }

  private protoIndex(
    type: number,
    attachType: number,
    attachBtfId: number,
    id: number,
    sleepable: boolean,
    capabilities: number,
  ): number {
    const { variants } = this.data;
    for (let i = 0; i < variants.length; i++) {
      const variant = variants[i]!;
      if (!fits(variant, type, attachType, attachBtfId)) continue;
      if (variant.sleepable !== null && variant.sleepable !== sleepable) continue;
      if (!isCapable(capabilities, this.needs[i]!.get(id) ?? 0)) return -1;
      return this.variants[i]!.get(id) ?? -1;
    }
    return -1;
  }

  private decode(index: number, id: number): HelperProto {
    const record = this.data.protos[index]!;
    const sized = record.argTypes.map((type) => (type & types.MEM_FIXED_SIZE) !== 0);
    return {
      id,
      name: this.data.names[id] ?? '',
      symbol: record.symbol,
      retType: record.retType,
      retBtfId: record.retBtfId,
      argTypes: five(record.argTypes),
      argBtfIds: five(record.argValues.map((value, i) => (sized[i]! ? 0 : value))),
      argSizes: five(record.argValues.map((value, i) => (sized[i]! ? value : 0))),
      gplOnly: record.gplOnly,
      pktAccess: record.pktAccess,
      mightSleep: record.mightSleep,
      allowFastcall: record.allowFastcall,
      isAllowedAt: (type, attachType, attachBtfId, toProgram) =>
        record.allowed === null || isAllowed(record.allowed, type, attachType, attachBtfId, toProgram),
    };
  }
}

function isAllowed(
  rules: readonly AllowedRule[],
  type: number,
  attachType: number,
  attachBtfId: number,
  toProgram: boolean,
): boolean {
  const rule = rules.find(
    (r) => (r.toProgram === null || r.toProgram === toProgram) && fits(r, type, attachType, attachBtfId),
  );
  return rule?.allowed ?? false;
}

/** Whether a kind of program is among those of the pattern. */
export function fits(pattern: KindPattern, type: number, attachType: number, attachBtfId: number): boolean {
  return (
    pattern.type === type &&
    (pattern.attachTypes === null || pattern.attachTypes.includes(attachType)) &&
    (pattern.attachBtfIds === null || pattern.attachBtfIds.includes(attachBtfId))
  );
}

/** Numbers by turns, as a map. */
export function pairs(flat: readonly number[]): Map<number, number> {
  const map = new Map<number, number>();
  for (let i = 0; i + 1 < flat.length; i += 2) map.set(flat[i]!, flat[i + 1]!);
  return map;
}

function five(values: readonly number[]): [number, number, number, number, number] {
  return [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0, values[3] ?? 0, values[4] ?? 0];
}
