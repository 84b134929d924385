/**
 * Files that are read again when they change. They are looked at every second rather than watched: it works on every file
 * system, and for files that are replaced by renaming or by another symbolic link (as Kubernetes mounts secrets).
 */
import { stat } from 'node:fs/promises';

const INTERVAL_MS = 1000;

export interface Watch {
  stop(): void;
}

/**
 * Also loads once at the start: nothing that changed since the caller did is missed.
 *
 * `load` throws where the files are not as they must be: then what was loaded before stays in use, `onError` hears of it
 * once, and it is tried again every second.
 */
export function watchFiles(paths: readonly string[], load: () => void, onError: (error: unknown) => void): Watch {
  let seen = '';
  let complaint = '';
  let busy = false;
  const look = async (): Promise<void> => {
    const now = await signature(paths);
    if (now === seen) return;
    seen = now;
    try {
      load();
      complaint = '';
    } catch (error) {
      seen = '';
      const words = error instanceof Error ? error.message : String(error);
      if (words !== complaint) onError(error);
      complaint = words;
    }
  };
  const run = (): void => {
    if (busy) return;
    busy = true;
    void look().finally(() => {
      busy = false;
    });
  };
  run();
  const timer = setInterval(run, INTERVAL_MS).unref();
  return {
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Changes when a file does, or when it goes or comes. */
async function signature(paths: readonly string[]): Promise<string> {
  const parts = paths.map(async (path) => {
    const found = await stat(path, { bigint: true }).catch(() => null);
    return found === null ? 'none' : `${found.ino} ${found.size} ${found.mtimeNs}`;
  });
  return (await Promise.all(parts)).join('\n');
}
