import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the repository. */
export const root: string = resolve(fileURLToPath(import.meta.url), "../../..");
