import { join } from "node:path";
import { it } from "node:test";
import { storeConformance } from "../conformance/store.ts";
import { localBindings } from "./sql_bindings.ts";
import { sqlStoreFixture } from "./sql_store_fixture.ts";

for (const { name, skip, open } of localBindings) {
  if (skip !== false) it(`store: ${name}`, { skip }, () => {});
  else storeConformance(name, () => sqlStoreFixture((folder) => open(join(folder, "store.db"))));
}
