import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Pause between two looks, milliseconds. */
const intervalMs = 300;

/** Files looked at; the rest of a greater folder is not watched. */
const maxFiles = 5000;

const sources = /\.([cm]?[jt]sx?|json|toml|proto)$/;
const skipped = /^(\.|node_modules$|dist$)/;

/**
 * Watches the sources of a folder by looking: unlike the runtimes' own watchers it is the same
 * everywhere, network and container mounts included, and sees nothing of databases beside the sources.
 */
export class Watcher {
  readonly #folder: string;
  #seen: string;

  private constructor(folder: string, seen: string) {
    this.#folder = folder;
    this.#seen = seen;
  }

  /** Starts from what is there now. */
  static async open(folder: string): Promise<Watcher> {
    return new Watcher(folder, await fingerprint(folder));
  }

  /** Resolves when something has changed since it last did so, and settled; or when aborted. */
  async changed(signal: AbortSignal): Promise<void> {
    let last = this.#seen;
    while (!signal.aborted) {
      await pause(signal);
      const now = await fingerprint(this.#folder);
      if (now === last && now !== this.#seen) {
        this.#seen = now;
        return;
      }
      last = now;
    }
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, intervalMs);
    signal.addEventListener("abort", done);
  });
}

/** Changes when a source below `folder` is written, added or removed. */
async function fingerprint(folder: string): Promise<string> {
  const lines: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const entry of await entriesOf(next)) {
      const path = join(next, entry.name);
      if (skipped.test(entry.name) || lines.length >= maxFiles) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (sources.test(entry.name)) lines.push(await stamp(path));
    }
  }
  return lines.sort().join("\n");
}

/** A folder that has just been removed is an empty one. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  return await readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function stamp(path: string): Promise<string> {
  const facts = await stat(path).catch(() => undefined);
  return `${path} ${facts?.mtimeMs} ${facts?.size}`;
}
