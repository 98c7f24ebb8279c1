/** `node --import tsx test/bench/hotspots.ts FOLDER`: what the CPU profiles of `--profile FOLDER` say, the longest first. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { readyOf } from "./profile_file.ts";
import { type Profile, type Share, sharesOf } from "./shares.ts";

const most = 15;

function print(title: string, shares: readonly Share[]): void {
  console.log(`  ${title}`);
  for (const { name, share } of shares.slice(0, most)) {
    console.log(`  ${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
  }
}

const folder = process.argv[2] ?? ".";
const files = readdirSync(folder).filter((file) => file.endsWith(".cpuprofile"));
const profiles = files
  .map((name) => {
    const file = join(folder, name);
    const profile = JSON.parse(readFileSync(file, "utf8")) as Profile;
    return { file, ...sharesOf(profile, readyOf(file)) };
  })
  .sort((a, b) => b.busyMs - a.busyMs);
for (const { file, busyMs, functions, files: places } of profiles) {
  console.log(`${basename(file)}: ${Math.round(busyMs)} ms busy after its start`);
  print("by function", functions);
  print("by file", places);
}
