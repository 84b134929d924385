declare module 'capstone-wasm' {
  export interface Instruction {
    readonly address: number | bigint;
    readonly mnemonic: string;
    readonly opStr: string;
  }
  export const Const: { readonly CS_ARCH_ARM64: number; readonly CS_MODE_LITTLE_ENDIAN: number };
  export function loadCapstone(): Promise<void>;
  export class Capstone {
    constructor(arch: number, mode: number);
    disasm(code: Uint8Array, options: { readonly address: number }): Instruction[];
    close(): void;
  }
}
