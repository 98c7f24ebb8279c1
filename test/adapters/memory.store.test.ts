import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { storeConformance } from "../conformance/store.ts";

storeConformance("memory", async () => {
  let latest: MemoryStore | undefined;
  return {
    refusesSecond: false,
    open: async () => {
      latest = latest?.reopen() ?? new MemoryStore();
      return latest;
    },
    crash: async () => {},
    usurp: async () => {
      latest = latest?.reopen();
    },
    [Symbol.asyncDispose]: async () => {},
  };
});
