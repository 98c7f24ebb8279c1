import { setImmediate as turn } from "node:timers/promises";

/**
 * Finalizes native statements that nothing refers to: the `libsql` package has no call for it, and each keeps its
 * database file open until the garbage collector comes by. Does nothing where the runtime offers no way.
 */
export async function collect(): Promise<void> {
  await turn();
  const gc = await collector();
  gc?.();
  // Finalizers run in a turn of their own.
  await turn();
}

async function collector(): Promise<(() => void) | undefined> {
  if ("Bun" in globalThis || "Deno" in globalThis) return undefined;
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  return typeof gc === "function" ? () => gc() : undefined;
}
