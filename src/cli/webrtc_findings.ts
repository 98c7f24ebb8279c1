import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Finding } from "./doctor_checks.ts";
import { webRtcStacks } from "./webrtc_check.ts";

/** Patience with one library, milliseconds. */
const limitMs = 20_000;

/** Whether each WebRTC library loads, and opens a connection; none of them is needed. Each is tried in a process of its own, which it may crash. */
export function webRtcFindings(): Promise<Finding[]> {
  return Promise.all(Object.keys(webRtcStacks).map(tried));
}

function tried(name: string): Promise<Finding> {
  const args = [...commandLine(), "doctor-webrtc", name];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: limitMs }, (error, stdout) => {
      resolve(error === null ? (JSON.parse(stdout) as Finding) : crashed(name, error.signal));
    });
  });
}

function crashed(name: string, signal: string | null | undefined): Finding {
  const detail = `ends the process that tries it (${signal ?? "with an error"})`;
  return { name, status: "missing", detail, mend: "leave WebRTC off, or use another library" };
}

/** How the command line is started by this runtime. */
function commandLine(): string[] {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const main = fileURLToPath(new URL(`./main.${extension}`, import.meta.url));
  return "Deno" in globalThis ? ["run", "-A", main] : [...process.execArgv, main];
}
