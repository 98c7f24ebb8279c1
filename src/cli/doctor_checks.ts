import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runningModule } from "../../adapters/running.ts";
import type { StoreReport } from "../../adapters/sql/check.ts";
import { hasNodeSqlite } from "../../adapters/sql/node_sqlite.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { abortAfter } from "../time_limit.ts";
import { version } from "../version.ts";
import { oneLine } from "./failure.ts";
import { type StoreSubject, storeFinding } from "./store_finding.ts";
import { webRtcFindings } from "./webrtc_findings.ts";

/** What one check found. */
export interface Finding {
  readonly name: string;
  /** `missing`: something works in another way, or not at all, but nothing that is needed. */
  readonly status: "ok" | "missing" | "failed";
  readonly detail: string;
  /** What to do about it. */
  readonly mend?: string;
  /** All that was found in a store, where it could be read. */
  readonly store?: StoreReport;
}

/** What is checked. */
export interface DoctorSubject {
  /** Left out when nobody asked. */
  readonly port?: number;
  readonly host: string;
  /** A store to check; a new file in a temporary folder when absent. */
  readonly store?: StoreSubject;
}

/** Checks everything that a node needs here, in order. */
export async function examine(subject: DoctorSubject): Promise<Finding[]> {
  return [
    { name: "roost", status: "ok", detail: version },
    runtimeFinding(),
    await sqliteFinding(),
    await moduleFinding(
      "libsql",
      () => import("libsql"),
      "run npm install without --omit=optional",
    ),
    ...(await webRtcFindings()),
    ...(subject.port === undefined ? [] : [await portFinding(subject.port, subject.host)]),
    await (subject.store === undefined ? newStoreFinding() : storeFinding(subject.store)),
  ];
}

/** Patience with a store, milliseconds. */
const storeLimitMs = 10_000;

/** Oldest version of each runtime that Roost is tested on. */
const oldest = { deno: [2, 4], bun: [1, 3], node: [20, 11] } as const;

function runtimeFinding(): Finding {
  const { versions } = process as { readonly versions: Readonly<Record<string, string>> };
  const name = "deno" in versions ? "deno" : "bun" in versions ? "bun" : "node";
  const detail = `${name} ${versions[name]}, ${process.platform} ${process.arch}`;
  const [major = 0, minor = 0] = (versions[name] ?? "").split(".").map(Number);
  const [leastMajor, leastMinor] = oldest[name];
  const recent = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  if (recent) return { name: "runtime", status: "ok", detail };
  const mend = `update to ${name} ${leastMajor}.${leastMinor} or newer`;
  return { name: "runtime", status: "failed", detail, mend };
}

async function sqliteFinding(): Promise<Finding> {
  const name = "node:sqlite";
  if (await hasNodeSqlite()) return { name, status: "ok", detail: "loads" };
  const detail = "this runtime has none";
  return { name, status: "missing", detail, mend: "nothing to do: libsql is used instead" };
}

async function moduleFinding(
  name: string,
  load: () => Promise<unknown>,
  mend: string,
): Promise<Finding> {
  try {
    await load();
    return { name, status: "ok", detail: "loads" };
  } catch (error) {
    return { name, status: "missing", detail: reasonOf(error), mend };
  }
}

async function portFinding(port: number, host: string): Promise<Finding> {
  const name = `port ${port}`;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    return { name, status: "ok", detail: `free on ${host}` };
  } catch (error) {
    const mend = `stop what listens there, or choose another with --port`;
    return { name, status: "failed", detail: reasonOf(error), mend };
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Whether a store can be made and written at all. */
async function newStoreFinding(): Promise<Finding> {
  const name = "store";
  const folder = await mkdtemp(join(tmpdir(), "roost-doctor-"));
  const clock = systemClock();
  const limit = abortAfter(clock, storeLimitMs);
  try {
    const { openStore } = await runningModule();
    const options = { clock, random: systemRandom() };
    await using store = await openStore(`file:${join(folder, "node.db")}`, options, limit.signal);
    await store.commit([
      { kind: "record.put", space: "doctor", key: "k", value: new Uint8Array(1) },
    ]);
    return { name, status: "ok", detail: `a new file can be made and written: ${store.name}` };
  } catch (error) {
    const mend = `check that ${tmpdir()} has room and may be written`;
    return { name, status: "failed", detail: reasonOf(error), mend };
  } finally {
    limit.cancel();
    await rm(folder, { recursive: true, force: true });
  }
}

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
