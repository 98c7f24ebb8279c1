import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../../src/errors.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { numberedRows } from "./store_rows.ts";

const kills = 8;
const childLimitMs = 15_000;
const longestRunMs = 120;
const writer = fileURLToPath(new URL("./store_writer.ts", import.meta.url));

/** What children said about rows before they were killed. */
interface Said {
  readonly put: Set<number>;
  readonly claimed: Set<number>;
  /** About to be acknowledged. */
  readonly acking: Set<number>;
  readonly acked: Set<number>;
}

interface Line {
  readonly opened?: { readonly unclean: boolean; readonly torn: number[]; readonly seqs: number[] };
  readonly put?: number;
  readonly claimed?: number;
  readonly acking?: number;
  readonly acked?: number;
}

describe("a store under kill -9", () => {
  it(`loses and tears nothing over ${kills} kills`, { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder();
    const url = `file:${join(folder.path, "store.db")}`;
    const random = new SeededRandom(Date.now() & 0xffff);
    const said: Said = {
      put: new Set(),
      claimed: new Set(),
      acking: new Set(),
      acked: new Set(),
    };
    for (let round = 0; round < kills; round++) {
      await writeUntilKilled(url, random.next() * longestRunMs, said, round > 0);
    }
    const store = await openStore(
      url,
      { clock: systemClock(), random },
      AbortSignal.timeout(10_000),
    );
    const rows = await numberedRows(store);
    assert.equal(store.opened.unclean, true);
    assert.deepEqual(
      rows.filter((row) => !row.whole),
      [],
    );
    checkRows(new Set(rows.map(({ seq }) => seq)), said);
    for (const { seq, attempts } of rows) {
      if (said.claimed.has(seq))
        assert.ok(attempts >= 1, `row ${seq} was held, its attempts say not`);
    }
    assert.ok(said.acked.size > 0, "the children did no work");
    await store.close();
  });
});

describe("a store of another process", () => {
  it("is refused while that process lives and free once it is dead", {
    timeout: 60_000,
  }, async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "store.db");
    const open = () =>
      openStore(
        `file:${path}`,
        { clock: systemClock(), random: new SeededRandom() },
        AbortSignal.timeout(10_000),
      );
    const child = startWriter(`file:${path}`);
    const ended = once(child, "exit");
    assert.ok(child.stdout);
    await once(child.stdout, "data");
    await assert.rejects(open(), (error) => {
      assert.ok(ActrError.is(error) && error.code === "storage", String(error));
      assert.ok(
        error.message.includes(path) && error.message.includes("stop that process"),
        error.message,
      );
      return true;
    });
    child.kill("SIGKILL");
    await ended;
    await using store = await open();
    assert.equal(store.opened.fence, 2);
  });
});

/** Starts a writer, lets it work for a while, kills it, and notes what it said. */
async function writeUntilKilled(
  url: string,
  runMs: number,
  said: Said,
  crashed: boolean,
): Promise<void> {
  const child = startWriter(url);
  const limit = setTimeout(() => child.kill("SIGKILL"), childLimitMs);
  let opened = false;
  assert.ok(child.stdout);
  for await (const text of createInterface({ input: child.stdout })) {
    const line = parse(text);
    if (line?.opened !== undefined) {
      opened = true;
      assert.deepEqual(line.opened.torn, []);
      assert.equal(line.opened.unclean, crashed);
      checkRows(new Set(line.opened.seqs), said);
      setTimeout(() => child.kill("SIGKILL"), runMs);
    } else if (line !== undefined) note(line, said);
  }
  clearTimeout(limit);
  assert.ok(opened, "the writer did not open the store");
}

/** Every row that was put and not about to be acknowledged is there; none that was acknowledged came back. */
function checkRows(found: ReadonlySet<number>, { put, acking, acked }: Said): void {
  const lost = [...put].filter((seq) => !acking.has(seq) && !found.has(seq));
  const back = [...acked].filter((seq) => found.has(seq));
  assert.deepEqual({ lost, back }, { lost: [], back: [] });
}

function note({ put, claimed, acking, acked }: Line, said: Said): void {
  if (put !== undefined) said.put.add(put);
  if (claimed !== undefined) said.claimed.add(claimed);
  if (acking !== undefined) said.acking.add(acking);
  if (acked !== undefined) said.acked.add(acked);
}

/** The last line may be cut off. */
function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The writer on the runtime that runs this test. */
function startWriter(url: string): ChildProcess {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  return spawn(process.execPath, [...runtimeFlags(), writer, url], { stdio: [...stdio] });
}

function runtimeFlags(): string[] {
  if ("Deno" in globalThis) return ["run", "-A", "--no-check"];
  return "Bun" in globalThis ? [] : ["--import", "tsx"];
}
