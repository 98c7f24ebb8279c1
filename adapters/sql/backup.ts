import { rename, rm } from "node:fs/promises";
import { openError } from "./sql_errors.ts";
import type { Backup } from "./take_over.ts";

/** Where the copy of a database goes whose tables had this version. */
export function backupPath(path: string, version: number): string {
  return `${path}.v${version}.backup`;
}

/** Copies a file beside itself, named after the version of its tables. An earlier copy of that version is replaced. */
export function backupBeside(path: string): Backup {
  return async (driver, version) => {
    const target = backupPath(path, version);
    // A copy that was cut short must not pass for a whole one.
    const part = `${target}.part`;
    try {
      await rm(part, { force: true });
      await driver.run({ sql: "VACUUM INTO ?", args: [part] });
      await rename(part, target);
    } catch (error) {
      throw openError(error, target);
    }
  };
}
