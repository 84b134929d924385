declare module 'capstone-wasm' {
  export interface Instruction {
    readonly address: number | bigint;
    readonly size: number;
    readonly mnemonic: string;
    readonly opStr: string;
  }
  /** CS_ARCH_… and CS_MODE_… by name. */
  export const Const: Readonly<Record<string, number>>;
  export function loadCapstone(): Promise<void>;
  export class Capstone {
    constructor(arch: number, mode: number);
    disasm(code: Uint8Array, options: { readonly address: number }): Instruction[];
    close(): void;
  }
}
