/** `bpf-jitd/client`: knows nothing of the service's code and needs nothing but fetch. */
export { BpfJitd, type BpfJitdOptions } from './client.js';
export type * from './generated/messages.js';
export { ProblemError } from './problem.js';
export type { CallOptions } from './transport.js';
