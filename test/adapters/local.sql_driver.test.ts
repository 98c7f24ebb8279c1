import { join } from "node:path";
import { it } from "node:test";
import { sqlDriverConformance } from "../conformance/sql_driver.ts";
import { localBindings } from "./sql_bindings.ts";
import { temporaryFolder } from "./temporary_folder.ts";

for (const { name, skip, open } of localBindings) {
  if (skip !== false) {
    it(`${name}: SQL driver`, { skip }, () => {});
    continue;
  }
  sqlDriverConformance(name, async () => {
    const folder = await temporaryFolder();
    return {
      open: () => open(join(folder.path, "test.db")),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  });
}
