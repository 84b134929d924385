/** One access through register `regno` at `off`, which includes the register's fixed offset. One object is used again and again. */
export class MemoryAccess {
  insn = 0;
  regno = 0;
  off = 0;
  size = 0;
  write = false;
  /** The register loaded or stored, -1 for none. */
  valueRegno = -1;
  signExtends = false;
}
