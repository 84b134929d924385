/** zstd from clients, decoded with fzstd, which believes what frames say of themselves: they are looked through before. */
import { setImmediate } from 'node:timers/promises';
import { Decompress } from 'fzstd';

const MAGIC = 0xfd2fb528;
/** Skippable frames: 0x184D2A50 to …5F (RFC 8878, section 3.1.2). */
const SKIPPABLE = 0x184d2a5;
/** Fed to the decoder between turns of the event loop. */
const SLICE = 64 * 1024;

/** More than `limit` bytes come out, or are needed to decode them. */
export class TooLarge extends RangeError {}

/** Throws TooLarge, or another error where the bytes are damaged or cut short. */
export async function decodeZstd(bytes: Uint8Array, limit: number): Promise<Buffer> {
  checkFrames(bytes, limit);
  const pieces: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  const stream = new Decompress((piece, isLast) => {
    ended ||= isLast === true;
    length += piece.byteLength;
    if (length > limit) throw new TooLarge('more than is taken');
    pieces.push(piece);
  });
  for (let at = 0; at < bytes.length; at += SLICE) {
    stream.push(bytes.subarray(at, at + SLICE), at + SLICE >= bytes.length);
    if (at + SLICE < bytes.length) await setImmediate();
  }
  if (!ended) throw new RangeError('cut short');
  return Buffer.concat(pieces, length);
}

/** A decoder keeps a window for each frame, as large as the frame says it needs: none may need more than `limit` bytes. */
function checkFrames(bytes: Uint8Array, limit: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === SKIPPABLE) at += 8 + view.getUint32(at + 4, true);
    else if (magic === MAGIC) at = checkFrame(view, at + 4, limit);
    else throw new RangeError('no zstd frame');
  }
}

/** Where the frame ends whose header (section 3.1.1.1) is at `at`. */
function checkFrame(view: DataView, at: number, limit: number): number {
  const descriptor = view.getUint8(at++);
  const single = (descriptor & 0x20) !== 0;
  if (!single) {
    const window = view.getUint8(at++);
    const base = 2 ** (10 + (window >> 3));
    if (base + (base / 8) * (window & 7) > Math.max(limit, 1024)) throw new TooLarge('the window is too large');
  }
  at += [0, 1, 2, 4][descriptor & 3]!; // dictionary id
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  if (single && contentSize(view, at, sizeBytes) > limit) throw new TooLarge('more than is taken');
  at += sizeBytes;
  for (let last = false; !last;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    last = (header & 1) === 1;
    const isRle = ((header >> 1) & 3) === 1;
    at += 3 + (isRle ? 1 : header >> 3);
  }
  return at + ((descriptor & 4) === 0 ? 0 : 4); // checksum
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  if (bytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}
