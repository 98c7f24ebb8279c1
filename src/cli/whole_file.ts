import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ActrError } from "../errors.ts";

/** What SQLite keeps beside a database. */
const besides = ["", "-wal", "-shm"];

/**
 * Makes a new file, or none: `work` makes it under another name beside its own.
 * @throws ActrError `invalid_argument` when there is one already; what `work` throws.
 */
export async function makeFile<Result>(
  path: string,
  work: (part: string) => Promise<Result>,
): Promise<Result> {
  await requireAbsent(path, "file");
  const part = `${path}.part`;
  const remove = () => Promise.allSettled(besides.map((end) => rm(part + end, { force: true })));
  await remove();
  try {
    const result = await work(part);
    await rename(part, path);
    return result;
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Makes a new folder, or none: `work` makes it, if it has something to put there, under another name beside its own.
 * @throws ActrError `invalid_argument` when there is one already; what `work` throws.
 */
export async function makeFolder<Result>(
  path: string,
  work: (part: string) => Promise<Result>,
): Promise<Result> {
  await requireAbsent(path, "folder");
  const part = `${path}.part`;
  const remove = () => rm(part, { recursive: true, force: true });
  await remove();
  try {
    const result = await work(part);
    if ((await stat(part).catch(() => undefined)) !== undefined) await rename(part, path);
    return result;
  } catch (error) {
    await remove();
    throw error;
  }
}

async function requireAbsent(path: string, what: "file" | "folder"): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) return;
  throw new ActrError("invalid_argument", `${path} exists already; name a new ${what}`);
}

/** Writes texts one after the other, for the owner alone; the file is on disk at the end. @throws ActrError `storage` naming the file. */
export async function writeTexts<Result>(
  path: string,
  work: (write: (text: string) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const guarded = async <T>(action: Promise<T>): Promise<T> => {
    try {
      return await action;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ActrError("storage", `cannot write ${path}: ${reason}`, { cause });
    }
  };
  await guarded(mkdir(dirname(path), { recursive: true }));
  // An export holds the keys of its node.
  const handle = await guarded(open(path, "w", 0o600));
  try {
    const result = await work((text) => guarded(handle.writeFile(text)));
    await guarded(handle.sync());
    return result;
  } finally {
    await handle.close();
  }
}
