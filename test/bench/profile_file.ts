import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import type { Moment } from "./shares.ts";

let profiles = 0;

/** Where the CPU profile of a process is written when that ends. */
export function profileFile(folder: string, runtime: string, script: string): string {
  profiles += 1;
  mkdirSync(folder, { recursive: true });
  return join(
    folder,
    `${runtime}-${basename(script, ".ts")}-${process.pid}-${profiles}.cpuprofile`,
  );
}

/** Notes that a process is ready: what its profile has from before is its start. */
export function noteReady(file: string): void {
  const monotonicUs = Number(process.hrtime.bigint() / 1000n);
  const moment: Moment = { monotonicUs, wallUs: Date.now() * 1000 };
  writeFileSync(`${file}.ready`, JSON.stringify(moment));
}

/** When the process of a profile was ready, if that was noted. */
export function readyOf(file: string): Moment | undefined {
  try {
    return JSON.parse(readFileSync(`${file}.ready`, "utf8")) as Moment;
  } catch {
    return undefined;
  }
}
