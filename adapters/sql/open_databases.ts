import { ActrError } from "../../src/errors.ts";
import type { Durability } from "../../src/options.ts";
import { FolderDatabases } from "./folder_databases.ts";
import { MemoryDatabases } from "./memory_databases.ts";
import { filePath, isServer } from "./open.ts";
import type { PortableDatabases } from "./portable_databases.ts";

/**
 * Databases of actors at `url`: `:memory:`, or `file:FOLDER`, which is made with the first of them.
 * @throws ActrError `config` for another url.
 */
export function openDatabases(url: string, durability: Durability = "full"): PortableDatabases {
  if (url === ":memory:") return new MemoryDatabases();
  if (url.startsWith("file:")) return new FolderDatabases(filePath(url), durability);
  throw new ActrError("config", `databases ${url} are not at ":memory:" or "file:FOLDER"`);
}

/** Where the databases of actors are whose store is at `url`; none where that is a server. */
export function databasesBeside(url: string): string | undefined {
  if (url === ":memory:") return url;
  return isServer(url) ? undefined : `${url.replace(/[?#].*/, "")}.actors`;
}
