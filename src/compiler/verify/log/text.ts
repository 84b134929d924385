/** All that prints registers, states and instructions, under one roof. */
export { decimal64, hex64, signedText, tnumText, unsignedText } from './numbers.js';
export { dynptrTypeName, regText, regTypeName } from './register.js';
export { printInsnState, printState } from './state.js';
export { insnText } from './insn.js';
export { writeSourceLine } from './source.js';
