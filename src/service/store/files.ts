/** The few things that a store does to files, each safe against what may lie at a path instead of a plain file. */
import fs from 'node:fs';
import { promisify } from 'node:util';

const open = promisify(fs.open);
const close = promisify(fs.close);
const read = promisify(fs.read);
const write = promisify(fs.write);
const fstat = promisify(fs.fstat);

/** What lies at the path is not a file that was written there whole. */
export class Damaged extends Error {}

/** A pipe does not block, a symbolic link is not followed. */
const READ = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW;

/** What the system says of files whose content or kind is at fault, and of no other trouble. */
const FAULTS: ReadonlySet<string | undefined> = new Set([
  'ELOOP',
  'ENXIO',
  'EIO',
  'EACCES',
  'EPERM',
  'EISDIR',
  'ENODEV',
]);

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}

/** The whole file; null where there is none. Throws Damaged, or what the system says. */
export async function readWhole(path: string, maxBytes: number): Promise<Buffer | null> {
  let file;
  try {
    file = await open(path, READ);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw asDamage(error);
  }
  try {
    const info = await fstat(file);
    if (!info.isFile()) throw new Damaged('is not a file');
    if (info.size > maxBytes) throw new Damaged(`has ${info.size} bytes`);
    return await readBytes(file, info.size);
  } catch (error) {
    throw asDamage(error);
  } finally {
    await close(file);
  }
}

/** Fewer where the file ends before. */
async function readBytes(file: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await read(file, bytes, at, size - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

function asDamage(error: unknown): unknown {
  return FAULTS.has(codeOf(error)) ? new Damaged((error as Error).message, { cause: error }) : error;
}

/** A new file; throws what the system says, and then leaves none. */
export async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length;) at += (await write(file, bytes, at, bytes.length - at)).bytesWritten;
  } catch (error) {
    await close(file);
    await remove(path); // on a full disk, what would keep it full
    throw error;
  }
  await close(file);
}

/** Whatever it is, if it can be. */
export async function remove(path: string): Promise<void> {
  await fs.promises.rm(path, { recursive: true, force: true }).catch(() => undefined);
}
