import process from "node:process";

/** Resolves when the user or the system asks this process to stop; a second signal then ends it at once. */
export function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
