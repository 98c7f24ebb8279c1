import process from "node:process";

/**
 * Has this process end by an explicit exit when nothing is left to do. The library crashes in the runtime's clean-up once
 * it has made a media source or a sink (SIGSEGV), which an explicit exit leaves out. Idempotent.
 */
export function exitExplicitly(): void {
  if (!process.listeners("exit").includes(leave)) process.on("exit", leave);
}

function leave(code: number): void {
  process.exit(code);
}
