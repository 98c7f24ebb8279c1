import process from "node:process";

const names = ["SIGINT", "SIGTERM"] as const;

/** Calls `told` when the user or the system asks this process to stop; a second signal ends it at once. Returns what stops listening. */
export function onStopSignal(told: (name: string) => void): () => void {
  const listeners = names.map((name) => ({
    name,
    hear: (): void => {
      forget();
      told(name);
    },
  }));
  const forget = (): void => {
    for (const { name, hear } of listeners) process.off(name, hear);
  };
  for (const { name, hear } of listeners) process.on(name, hear);
  return forget;
}
