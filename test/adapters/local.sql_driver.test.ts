import { join } from "node:path";
import { it } from "node:test";
import { openWorkerDriver } from "../../adapters/sql/worker_driver.ts";
import { sqlDriverConformance } from "../conformance/sql_driver.ts";
import { type LocalBinding, localBindings } from "./sql_bindings.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** What works in a thread of its own is one of the others; so the stores above need no turn with it. */
const inThread: LocalBinding = {
  name: "a thread of its own",
  skip: false,
  open: (path) => openWorkerDriver(path, "full"),
};

for (const { name, skip, open } of [...localBindings, inThread]) {
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
