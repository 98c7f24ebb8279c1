import { it } from "node:test";
import { FolderDatabases, type OpenFile } from "../../adapters/sql/folder_databases.ts";
import { MemoryDatabases } from "../../adapters/sql/memory_databases.ts";
import { sqlDatabasesConformance } from "../conformance/sql_databases.ts";
import { localBindings } from "./sql_bindings.ts";
import { temporaryFolder } from "./temporary_folder.ts";

sqlDatabasesConformance("memory", async () => ({
  databases: new MemoryDatabases(),
  [Symbol.asyncDispose]: async () => {},
}));

function inFolder(name: string, openFile?: OpenFile): void {
  sqlDatabasesConformance(name, async () => {
    const folder = await temporaryFolder();
    return {
      databases: new FolderDatabases(folder.path, "normal", openFile),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  });
}

inFolder("a folder, the runtime's best SQLite");

for (const { name, skip, open } of localBindings) {
  const title = `a folder, ${name}`;
  if (skip === false) inFolder(title, open);
  else it(`${title}: SQL databases`, { skip }, () => {});
}
