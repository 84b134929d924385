/**
 * zstd from clients, for worker threads. Frames say of themselves what decoding them takes, a window of memory above all: they
 * are looked through before, and what is refused costs nothing but the look.
 */
import * as zlib from 'node:zlib';
import { decompress } from 'fzstd';

const MAGIC = 0xfd2fb528;
/** Skippable frames: 0x184D2A50 to …5F (RFC 8878, section 3.1.2). */
const SKIPPABLE = 0x184d2a5;
/** The most that a block decodes to (section 3.1.1.2.4). */
const BLOCK = 128 * 1024;
/** What every frame costs, however small: tables and a decoder. */
const FRAME = 64 * 1024;
const COMPRESSED = 2;
/** Bytes of memory that decoding may go over for each byte of output there may be: a large window is moved with each block. */
const WORK = 80;
const LEAST_WORK = 1024 ** 3;

/** More than `limit` bytes come out, or decoding them takes more than they are worth. */
export class TooLarge extends RangeError {}

/** Node has zstd since 22.15; types of older ones do not know. */
const { zstdDecompressSync } = zlib as {
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;
};

/** Throws TooLarge, or another error where the bytes are damaged or cut short. */
export function decodeZstd(bytes: Uint8Array, limit: number): Buffer {
  const frames = new FrameScan(bytes, limit).frames();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const frame of frames) {
    const piece = decodeFrame(frame, limit - length);
    length += piece.byteLength;
    if (length > limit) throw new TooLarge('more than is taken');
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

function decodeFrame(frame: Uint8Array, limit: number): Uint8Array {
  if (zstdDecompressSync === undefined) return decompress(frame);
  try {
    return zstdDecompressSync(frame, { maxOutputLength: Math.max(1, limit) });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? new TooLarge('more than is taken') : error;
  }
}

/** Throws TooLarge; RangeError where the bytes are no frames. */
class FrameScan {
  private readonly view: DataView;
  private work: number;
  /** Bytes of output that are certain: of raw and repeated blocks. */
  private certain = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly limit: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.work = Math.max(LEAST_WORK, limit * WORK);
  }

  frames(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let at = 0; at < this.bytes.length;) {
      const magic = this.view.getUint32(at, true);
      if (magic >>> 4 === SKIPPABLE) {
        at += 8 + this.view.getUint32(at + 4, true);
        continue;
      }
      if (magic !== MAGIC) throw new RangeError('no zstd frame');
      const end = this.frame(at + 4);
      if (end > this.bytes.length) throw new RangeError('cut short');
      frames.push(this.bytes.subarray(at, end));
      at = end;
    }
    return frames;
  }

  /** Where the frame ends whose header (section 3.1.1.1) is at `at`. */
  private frame(at: number): number {
    const { view, limit } = this;
    const descriptor = view.getUint8(at++);
    const single = (descriptor & 0x20) !== 0;
    let window = 0;
    if (!single) {
      const byte = view.getUint8(at++);
      const base = 2 ** (10 + (byte >> 3));
      window = base + (base / 8) * (byte & 7);
      if (window > Math.max(limit, 1024)) throw new TooLarge('the window is too large');
    }
    at += [0, 1, 2, 4][descriptor & 3]!; // dictionary id
    const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    const content = contentSize(view, at, sizeBytes);
    if (content > limit) throw new TooLarge('more than is taken');
    this.spend(FRAME + (single ? content : window));
    at = this.blocks(at + sizeBytes, window);
    return at + ((descriptor & 4) === 0 ? 0 : 4); // checksum
  }

  private blocks(at: number, window: number): number {
    for (let last = false; !last;) {
      const header = this.view.getUint16(at, true) | (this.view.getUint8(at + 2) << 16);
      last = (header & 1) === 1;
      const type = (header >> 1) & 3;
      const size = header >> 3;
      if (type !== COMPRESSED) {
        this.certain += size;
        if (size > BLOCK) throw new RangeError('a block is larger than blocks are');
        if (this.certain > this.limit) throw new TooLarge('more than is taken');
      }
      this.spend(window + (type === COMPRESSED ? BLOCK : size));
      at += 3 + (type === 1 ? 1 : size);
    }
    return at;
  }

  private spend(bytes: number): void {
    this.work -= bytes;
    if (this.work < 0) throw new TooLarge('decoding it takes more than it is worth');
  }
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 0) return 0;
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  if (bytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}
