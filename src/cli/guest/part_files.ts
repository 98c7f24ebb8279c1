import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { ActrError } from "../../errors.ts";
import { packageLimits } from "../../guest/package/package_limits.ts";

/** Longest file that is packed, bytes: no node takes more without being told to. */
const longest = packageLimits.entryBytes;

/** A file for a package, and what it is called there. */
export interface PartFile {
  readonly name: string;
  readonly path: string;
}

/** The content of a file. @param what its role, for errors. @throws ActrError `invalid_argument` for what cannot be read, or is too long. */
export async function readPart(what: string, path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= longest) return await readFile(path);
  } catch (cause) {
    throw unreadable(what, path, cause);
  }
  throw new ActrError("invalid_argument", `${what} ${path} has more than ${longest} bytes`);
}

/** The files of a `[PATH=]FILE`: a folder is all that is in it. Without a path they go below `resources/`. */
export async function resourceFiles(cwd: string, spec: string): Promise<readonly PartFile[]> {
  const [, name, file = ""] = /^(?:([^=]*)=)?(.*)$/s.exec(spec) ?? [];
  const path = resolve(cwd, file);
  const top = name ?? `resources/${basename(path)}`;
  const within = await filesIn(path);
  if (within === undefined) return [{ name: top, path }];
  const head = name ?? "resources";
  return within.map((each) => ({
    name: [head, ...relative(path, each).split(sep)].join("/"),
    path: each,
  }));
}

/** Paths of all files in a folder, in one order on every machine; undefined for what is none. */
async function filesIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return undefined;
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((each) => each.isFile());
    return files.map((each) => join(each.parentPath, each.name)).sort();
  } catch (cause) {
    throw unreadable("the resource", folder, cause);
  }
}

function unreadable(what: string, path: string, cause: unknown): ActrError {
  const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
  const reason = missing ? "there is no such file" : (cause as Error).message;
  return new ActrError("invalid_argument", `cannot read ${what} ${path}: ${reason}`, { cause });
}
