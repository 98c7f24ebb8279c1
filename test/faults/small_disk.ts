import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { temporaryFolder } from "../adapters/temporary_folder.ts";

/** Size of a {@link SmallDisk}, bytes. */
export const diskBytes = 4 * 2 ** 20;

/** Why no small disk can be made here, if so. */
export const cannotMount: string | false = (() => {
  if (process.platform !== "linux") return "only Linux has tmpfs";
  if (process.getuid?.() !== 0) return "mounting takes root";
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return false;
  } catch {
    return "this machine does not allow mounts";
  }
})();

/** A disk of {@link diskBytes}, half of it taken by a file that can be removed to make room. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  readonly ballast: string;
}

/** Mounts a {@link SmallDisk}. */
export async function smallDisk(): Promise<SmallDisk> {
  const folder = await temporaryFolder();
  const path = join(folder.path, "disk");
  const ballast = join(path, "ballast");
  await mkdir(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", path]);
  await writeFile(ballast, Buffer.alloc(diskBytes / 2));
  return {
    path,
    ballast,
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["-l", path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}
