/** What every runtime's entry point offers. */
export type RuntimeModule = Pick<
  typeof import("./node/mod.ts"),
  "connect" | "consoleLogger" | "openStore" | "prepare" | "rendezvous" | "serve" | "silentLogger"
>;

/** The entry point of the runtime that runs this. */
export function runningModule(): Promise<RuntimeModule> {
  if ("Deno" in globalThis) return import("./deno/mod.ts");
  if ("Bun" in globalThis) return import("./bun/mod.ts");
  return import("./node/mod.ts");
}
