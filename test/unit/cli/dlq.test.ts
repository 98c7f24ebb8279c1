import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { openStore } from "../../../adapters/sql/open.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import { formatAge, parseAge } from "../../../src/cli/inspect/ages.ts";
import { HttpInspector } from "../../../src/cli/inspect/http_inspector.ts";
import { progress } from "../../../src/cli/progress.ts";
import { temporaryFolder } from "../../adapters/temporary_folder.ts";
import { letter } from "../../conformance/store_samples.ts";
import { roost } from "./support.ts";

describe("roost dlq", () => {
  it("ends with 2 and says what to write when it is misused, before anything is opened", async () => {
    const wrong: [string[], RegExp][] = [
      [["dlq"], /an argument is missing: expected ls \| show ID/],
      [["dlq", "lst"], /unknown action lst\. Did you mean ls\?/],
      [["dlq", "remove"], /There are ls, show, redrive, purge\./],
      [["dlq", "show"], /an id is missing/],
      [["dlq", "show", "a", "b"], /unexpected argument b/],
      [["dlq", "ls", "a"], /unexpected argument a/],
      [["dlq", "ls", "--limit", "0"], /--limit is 0/],
      [["dlq", "ls", "--all"], /dlq ls takes no --all/],
      [["dlq", "redrive"], /no letters are chosen/],
      [["dlq", "redrive", "--before", "7d"], /dlq redrive takes no --before/],
      [["dlq", "purge", "a", "--all"], /name ids, or choose/],
      [["dlq", "purge", "--before", "7 days"], /--before is 7 days/],
      [["dlq", "ls"], /no inspection token is given/],
      [["dlq", "ls", "--token", "t", "--store", "f"], /--store is for a store at rest/],
      [["dlq", "ls", "--store", ":memory:"], /which keeps nothing; name a file/],
      [["dlq", "ls", "--token", "t", "--url", "localhost"], /--url is localhost/],
      [["mailbox", "--token", "t", "--timeout", "x"], /--timeout is x/],
    ];
    for (const [args, message] of wrong) {
      const { code, out, err } = await roost(args);
      assert.equal(code, 2, args.join(" "));
      assert.equal(out, "");
      assert.match(err, message);
    }
  });

  it("makes no store where there is none", async () => {
    const { code, err } = await roost(["mailbox", "--store", "none.db", "--json"]);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(err), {
      error: {
        code: "not_found",
        message: "there is no store at /nowhere/none.db; name the file of one",
      },
    });
  });

  it("works on a store at rest: names the first letters that stay, and counts all", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "node.db");
    const options = { clock: systemClock(), random: systemRandom() };
    const store = await openStore(`file:${file}`, options, AbortSignal.timeout(60_000));
    const poison = Array.from({ length: 125 }, (_, n) => letter(n + 1, { category: "poison" }));
    await store.commit(poison.map((each) => ({ kind: "deadLetter.put", letter: each }) as const));
    const busy = await roost(["dlq", "ls", "--store", file]);
    assert.match(
      busy.err,
      /another process has it open; .*; or ask the node .* with --url in place/,
    );
    await store.close();
    const kept = await roost(["dlq", "redrive", "--all", "--store", file]);
    assert.deepEqual([kept.code, kept.err], [1, "roost: redriven 0, kept 100 so far"]);
    const lines = kept.out.split("\n");
    assert.equal(lines.length, 22);
    assert.equal(lines[0], "redriven 0, kept 125");
    assert.match(lines[1] ?? "", /^ {2}kept dead-1: /);
    assert.equal(lines[21], "  and 105 more; --json names every one");
    const purged = await roost(["dlq", "purge", "--all", "--store", file, "--json"]);
    assert.deepEqual(JSON.parse(purged.out), { purged: 125, kept: [], missing: [] });
  });

  it("tells how far it is at most once a second", async () => {
    const lines: string[] = [];
    const clock = new FakeClock();
    const world = { err: (line: string) => lines.push(line), clock };
    const [early, late] = [progress(world, "at once"), progress(world, "after a second")];
    for (const tell of [early, early, late]) tell("done 1");
    assert.deepEqual(lines, ["roost: done 1 so far"]);
    await clock.advance(999);
    for (const tell of [early, late]) tell("done 2");
    assert.equal(lines.length, 1);
    await clock.advance(1);
    early("done 3");
    late("done 4");
    assert.deepEqual(lines.slice(1), ["roost: done 3 so far", "roost: done 4 so far"]);
  });

  it("reads and writes ages", () => {
    assert.deepEqual(
      ["90s", "30m", "12h", "7d"].map((text) => parseAge(text, "--before")),
      [90_000, 1_800_000, 43_200_000, 604_800_000],
    );
    for (const text of ["", "7", "d", "-1d", "1w", "1.5h"]) {
      assert.throws(() => parseAge(text, "--before"), { name: "Misuse" });
    }
    assert.deepEqual([0, 999, 1_000, 119_000, 3_600_000, 90_000_000].map(formatAge), [
      "0 ms",
      "999 ms",
      "1 s",
      "1 m",
      "1 h",
      "1 d",
    ]);
  });

  it("gives up on a node that stays silent", async () => {
    const server = createServer((socket) => socket.resume().on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    server.unref();
    const { port } = server.address() as { readonly port: number };
    const url = `http://127.0.0.1:${port}`;
    const { code, err } = await roost(["mailbox", "--url", url, "--token", "t", "--timeout", "50"]);
    assert.equal(code, 1);
    assert.equal(
      err,
      `roost: timed_out: ${url} did not answer within 50 ms; --timeout allows more`,
    );
    server.close();
  });

  it("names a node that does not answer", async () => {
    const inspector = new HttpInspector({
      url: "http://127.0.0.1:1",
      token: "t",
      timeoutMs: 60_000,
    });
    await assert.rejects(inspector.mailbox(), {
      code: "unavailable",
      message: /^no node answers at http:\/\/127\.0\.0\.1:1; /,
    });
  });
});
