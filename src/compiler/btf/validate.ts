import type { Btf } from './btf.js';
export interface BtfVerdict { readonly errno: number; readonly log: string }
export function validateBtf(_btf: Btf): BtfVerdict { return { errno: 0, log: '' }; }
