import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { delay } from "#async";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";

const program = fileURLToPath(new URL("./store_owner.ts", import.meta.url));
const leaseMs = 1_500;

interface Line {
  readonly opened?: { readonly fence: number; readonly lastSeq: number };
  readonly put?: number;
  readonly refused?: string;
  readonly message?: string;
  readonly lost?: string;
}

/** Starts a process that wants the store for itself. */
function owner(url: string, name: string, leaseWaitMs = 0): Program {
  return new Program(thisRuntime, program, [url, name, String(leaseMs), String(leaseWaitMs)]);
}

/** The fence of a process that got the store. */
async function fenceOf(process: Program): Promise<number> {
  const { opened, message } = await process.line<Line>();
  assert.ok(opened, message);
  return opened.fence;
}

describe("two processes and one libSQL server", { skip: sqldMissing }, () => {
  let server: Sqld;
  before(async () => {
    server = await Sqld.start();
  });
  after(() => server[Symbol.asyncDispose]());

  it("refuses the second, naming the owner and the end of its lease, and lets it in afterwards", async () => {
    const url = server.url("http");
    await using first = owner(url, "first-node");
    const fence = await fenceOf(first);
    await using second = owner(url, "second-node");
    const { refused, message } = await second.line<Line>();
    assert.equal(refused, "storage");
    assert.match(message ?? "", /owned by first-node, whose lease ends in \d+ ms \(20.*Z\); stop/);
    first.send("close");
    await once(first.process, "exit");
    await using third = owner(url, "third-node");
    assert.equal(await fenceOf(third), fence + 1);
  });

  it("hands the store over once the lease of a killed owner has run out", async () => {
    const url = server.url("ws");
    await using first = owner(url, "first-node", 2 * leaseMs);
    const fence = await fenceOf(first);
    await first.kill();
    await using second = owner(url, "second-node", 2 * leaseMs);
    assert.equal(await fenceOf(second), fence + 1);
  });

  it("fails every write of an owner that was paused past its lease", async () => {
    const url = server.url("http");
    await using first = owner(url, "sleeper", 2 * leaseMs);
    const { opened } = await first.line<Line>();
    assert.ok(opened);
    const seq = opened.lastSeq + 1;
    first.send(seq);
    assert.deepEqual(await first.line<Line>(), { put: seq });
    first.signal("SIGSTOP");
    await using second = owner(url, "heir", 2 * leaseMs);
    assert.equal(await fenceOf(second), opened.fence + 1);
    first.send(seq + 1);
    first.send(seq + 2);
    first.signal("SIGCONT");
    const lines = [await first.line<Line>(), await first.line<Line>(), await first.line<Line>()];
    assert.ok(lines.some(({ lost }) => lost !== undefined));
    assert.deepEqual(
      lines.filter(({ lost }) => lost === undefined),
      [{ refused: "lease_lost" }, { refused: "lease_lost" }],
    );
  });
});

describe("two processes and one file", () => {
  it("keeps the file while its owner lives, paused too, and frees it at once when it is dead", async () => {
    await using folder = await temporaryFolder();
    const url = `file:${join(folder.path, "store.db")}`;
    await using first = owner(url, "first-node");
    assert.equal(await fenceOf(first), 1);
    for (const state of ["alive", "paused"]) {
      if (state === "paused") {
        first.signal("SIGSTOP");
        await delay(leaseMs + 500);
      }
      await using second = owner(url, "second-node");
      const { refused, message } = await second.line<Line>();
      assert.equal(refused, "storage", state);
      assert.match(message ?? "", /another process has it open; stop that process/);
    }
    first.signal("SIGCONT");
    first.send(1);
    assert.deepEqual(await first.line<Line>(), { put: 1 });
    await first.kill();
    await using third = owner(url, "third-node");
    assert.equal(await fenceOf(third), 2);
  });
});
