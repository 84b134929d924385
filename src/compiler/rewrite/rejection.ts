/** A rewrite that the kernel refuses to make: it says so in the log, and BPF_PROG_LOAD fails. */
export class Rejection {
  constructor(
    /** The log's sentence, without its newline; '' where the kernel says nothing. */
    readonly message: string,
    /** Negative. */
    readonly errno: number,
    /** Index of the instruction in the program as it stands in that pass. */
    readonly instruction: number,
  ) {}
}
