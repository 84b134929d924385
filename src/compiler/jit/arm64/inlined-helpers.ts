/** Helpers (enum bpf_func_id of the UAPI) whose calls arm64 replaces by code (since Linux 6.10). */
export const HELPER_GET_SMP_PROCESSOR_ID = 8;
export const HELPER_GET_CURRENT_TASK = 35;
export const HELPER_GET_CURRENT_TASK_BTF = 158;
