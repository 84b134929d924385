import type { Btf } from '../btf/btf.js';
import type { Budget } from '../core/budget.js';
import type { ElfObject } from '../elf/elf.js';
import type { ObjectMap, Roles } from './model.js';

/** What maps are built from. */
export interface MapSources {
  readonly elf: ElfObject;
  readonly roles: Roles;
  readonly btf: Btf | null;
  /** Bytes of the configuration's map, 0 where there is none. */
  readonly kconfigSize: number;
  readonly objectName: string;
  readonly pageSize: number;
  readonly budget: Budget;
}

type NewMap = Pick<ObjectMap, 'origin' | 'name' | 'section' | 'definition'> & Partial<ObjectMap>;

/** Appends a map with the defaults of everything that is not given. */
export function addMap(maps: ObjectMap[], map: NewMap): void {
  maps.push({
    index: maps.length,
    sectionIndex: -1,
    sectionOffset: 0,
    sectionSize: 0,
    inner: null,
    contents: null,
    autocreate: true,
    structOps: null,
    valuesOffset: -1,
    slots: new Map(),
    ...map,
  });
}
