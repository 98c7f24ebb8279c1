#!/usr/bin/env node
import process from "node:process";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../errors.ts";
import { run } from "./run.ts";

/** What the reader of the output gets for the rest of it, milliseconds. */
const flushLimitMs = 2_000;

/** Resolves when everything written so far has left the process. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

/** Who reads the output may go, such as `head`. */
let gone: Error | undefined;
process.stdout.on("error", (error) => {
  gone = error;
});

async function drained(): Promise<void> {
  await flushed(process.stdout);
  if (gone === undefined) return;
  throw new ActrError("unavailable", "nobody reads the output any more", { cause: gone });
}

const code = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  clock: systemClock(),
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  drained,
  input: () => process.stdin,
});
await Promise.race([
  Promise.all([flushed(process.stdout), flushed(process.stderr)]),
  // Not every runtime says that nobody reads any more.
  new Promise((resolve) => setTimeout(resolve, flushLimitMs)),
]);
// Native modules and idle sockets must not hold back a command that is done.
process.exit(code);
