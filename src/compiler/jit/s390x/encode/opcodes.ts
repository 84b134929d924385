/**
 * Operation codes by mnemonic, as z/Architecture's Principles of Operation (SA22-7832) lists them: bytes one behind the
 * other where an instruction's code is in two places. Each is typed by its format, so that only that format's encoder takes it.
 */

declare const format: unique symbol;
export type Opcode<Format extends string> = number & { readonly [format]: Format };
export type Rr = Opcode<'RR'>;
export type Rre = Opcode<'RRE'>;
export type Rrf = Opcode<'RRF'>;
/** RX without an index, and RS with one register: a register and an address. */
export type Rs = Opcode<'RS'>;
export type Rxy = Opcode<'RXY'>;
export type Rsy = Opcode<'RSY'>;
export type Ri = Opcode<'RI'>;
export type Ril = Opcode<'RIL'>;
export type Rie = Opcode<'RIE'>;
export type Ss = Opcode<'SS'>;

export const BCR = 0x07 as Rr;
export const BASR = 0x0d as Rr;
export const LCR = 0x13 as Rr;
export const NR = 0x14 as Rr;
export const CLR = 0x15 as Rr;
export const OR = 0x16 as Rr;
export const XR = 0x17 as Rr;
export const LR = 0x18 as Rr;
export const CR = 0x19 as Rr;
export const AR = 0x1a as Rr;
export const SR = 0x1b as Rr;

export const MSR = 0xb252 as Rre;
export const LTGR = 0xb902 as Rre;
export const LCGR = 0xb903 as Rre;
export const LGR = 0xb904 as Rre;
export const LGBR = 0xb906 as Rre;
export const LGHR = 0xb907 as Rre;
export const AGR = 0xb908 as Rre;
export const SGR = 0xb909 as Rre;
export const MSGR = 0xb90c as Rre;
export const DSGR = 0xb90d as Rre;
export const LRVGR = 0xb90f as Rre;
export const LGFR = 0xb914 as Rre;
export const LLGFR = 0xb916 as Rre;
export const DSGFR = 0xb91d as Rre;
export const LRVR = 0xb91f as Rre;
export const CGR = 0xb920 as Rre;
export const CLGR = 0xb921 as Rre;
export const LBR = 0xb926 as Rre;
export const LHR = 0xb927 as Rre;
export const NGR = 0xb980 as Rre;
export const OGR = 0xb981 as Rre;
export const XGR = 0xb982 as Rre;
export const LLGCR = 0xb984 as Rre;
export const LLGHR = 0xb985 as Rre;
export const DLGR = 0xb987 as Rre;
export const DLR = 0xb997 as Rre;

export const NGRK = 0xb9e4 as Rrf;
export const NRK = 0xb9f4 as Rrf;

export const LA = 0x41 as Rs;
export const SRL = 0x88 as Rs;
export const SLL = 0x89 as Rs;
export const SRA = 0x8a as Rs;

export const LTG = 0xe302 as Rxy;
export const LG = 0xe304 as Rxy;
export const DSG = 0xe30d as Rxy;
export const LGF = 0xe314 as Rxy;
export const LGH = 0xe315 as Rxy;
export const LLGF = 0xe316 as Rxy;
export const DSGF = 0xe31d as Rxy;
export const STG = 0xe324 as Rxy;
export const STY = 0xe350 as Rxy;
export const LY = 0xe358 as Rxy;
export const STHY = 0xe370 as Rxy;
export const STCY = 0xe372 as Rxy;
export const LGB = 0xe377 as Rxy;
export const NG = 0xe380 as Rxy;
export const OG = 0xe381 as Rxy;
export const XG = 0xe382 as Rxy;
export const DLG = 0xe387 as Rxy;
export const LLGC = 0xe390 as Rxy;
export const LLGH = 0xe391 as Rxy;
export const DL = 0xe397 as Rxy;

export const LMG = 0xeb04 as Rsy;
export const SRAG = 0xeb0a as Rsy;
export const SRLG = 0xeb0c as Rsy;
export const SLLG = 0xeb0d as Rsy;
export const CSY = 0xeb14 as Rsy;
export const STMG = 0xeb24 as Rsy;
export const CSG = 0xeb30 as Rsy;
export const LANG = 0xebe4 as Rsy;
export const LAOG = 0xebe6 as Rsy;
export const LAXG = 0xebe7 as Rsy;
export const LAALG = 0xebea as Rsy;
export const LAN = 0xebf4 as Rsy;
export const LAO = 0xebf6 as Rsy;
export const LAX = 0xebf7 as Rsy;
export const LAAL = 0xebfa as Rsy;

export const BRC = 0xa74 as Ri;
export const LHI = 0xa78 as Ri;
export const LGHI = 0xa79 as Ri;
export const AGHI = 0xa7b as Ri;

export const LARL = 0xc00 as Ril;
export const LGFI = 0xc01 as Ril;
export const BRCL = 0xc04 as Ril;
export const BRASL = 0xc05 as Ril;
export const XILF = 0xc07 as Ril;
export const IIHF = 0xc08 as Ril;
export const NILF = 0xc0b as Ril;
export const OILF = 0xc0d as Ril;
export const LLILF = 0xc0f as Ril;
export const MSGFI = 0xc20 as Ril;
export const MSFI = 0xc21 as Ril;
export const AGFI = 0xc28 as Ril;
export const ALGFI = 0xc2a as Ril;
export const ALFI = 0xc2b as Ril;
export const CGFI = 0xc2c as Ril;
export const CFI = 0xc2d as Ril;
export const LGRL = 0xc48 as Ril;
export const LGFRL = 0xc4c as Ril;
export const LRL = 0xc4d as Ril;
export const EXRL = 0xc60 as Ril;

export const RISBG = 0xec55 as Rie;
export const CGRJ = 0xec64 as Rie;
export const CLGRJ = 0xec65 as Rie;
export const CRJ = 0xec76 as Rie;
export const CLRJ = 0xec77 as Rie;
export const CLIJ = 0xec7f as Rie;

export const MVC = 0xd2 as Ss;
export const XC = 0xd7 as Ss;
