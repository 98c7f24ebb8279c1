import process from "node:process";

/**
 * Has this process end by an explicit exit when nothing is left to do, which leaves out the runtime's clean-up: there the
 * library crashes once it has made a media source or a sink, and now and then when a connection outlived its channels,
 * since it lets go of them after the runtime has (SIGSEGV or SIGABRT; 3 of 24 processes whose peers had
 * been killed). Idempotent.
 */
export function exitExplicitly(): void {
  if (!process.listeners("exit").includes(leave)) process.on("exit", leave);
}

function leave(code: number): void {
  process.exit(code);
}
