#!/usr/bin/env node
import process from "node:process";
import { run } from "./run.ts";

/** Resolves when everything written so far has left the process. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

const code = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
});
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// Native modules and idle sockets must not hold back a command that is done.
process.exit(code);
