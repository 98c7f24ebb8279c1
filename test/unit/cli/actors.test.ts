import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import type { Served } from "../../../adapters/serve/options.ts";
import { app } from "../../../examples/counter/app.ts";
import { temporaryFolder } from "../../adapters/temporary_folder.ts";
import { adapter } from "../../fixtures/runtimes.ts";
import { type Outcome, roost } from "./support.ts";

const tokens = { inspectToken: "inspect", actorToken: "s3cret" };
const env = { ROOST_ACTOR_TOKEN: "s3cret", ROOST_INSPECT_TOKEN: "inspect" };
const quiet = { port: 0, hostname: "127.0.0.1", log: silentLogger() };
let served: Served;

/** Runs a command line about the node of this test, with its tokens in the environment. */
function ask(...args: readonly string[]): Promise<Outcome> {
  return roost([...args, "--url", served.url], { env });
}

async function idOf(key: string): Promise<string> {
  return JSON.parse((await ask("actors", "show", "counter", key, "--json")).out).id;
}

describe("roost actors and roost alarms", { timeout: 60_000 }, () => {
  before(async () => {
    const { serve } = await adapter();
    served = await serve(app, { ...quiet, ...tokens });
  });
  after(() => served.stop());

  it("end with 2 and say what to write when they are misused, before anything is asked", async () => {
    const wrong: [string[], RegExp][] = [
      [["actors"], /an argument is missing: expected ls NAME \| show ACTOR/],
      [["actors", "lst"], /unknown action lst\. Did you mean ls\?/],
      [["actors", "remove"], /There are ls, show, call, destroy\./],
      [["actors", "ls"], /write roost actors ls NAME/],
      [["actors", "ls", "a", "b"], /write roost actors ls NAME/],
      [["actors", "show"], /write roost actors show NAME KEY \| ID/],
      [["actors", "call", "id"], /write roost actors call NAME KEY ACTION \| ID ACTION/],
      [["actors", "destroy", "a", "b", "c"], /write roost actors destroy/],
      [["actors", "ls", "a", "--args", "[]"], /actors ls takes no --args/],
      [["actors", "ls", "a", "--limit", "0"], /--limit is 0/],
      [["actors", "call", "a", "b", "c", "--args", "{}"], /--args is \{\}; write a list/],
      [["actors", "call", "a", "b", "c", "--args", "[1"], /--args is \[1; write a list/],
      [["actors", "show", "a", "b", "--url", "host"], /--url is host/],
      [["alarms"], /an argument is missing: expected ls/],
      [["alarms", "show"], /unknown action show; write roost alarms ls/],
      [["alarms", "ls"], /no inspection token is given/],
    ];
    for (const [args, message] of wrong) {
      const { code, out, err } = await roost(args);
      assert.equal(code, 2, args.join(" "));
      assert.equal(out, "");
      assert.match(err, message);
    }
  });

  it("call an actor by key, which makes it, and by id", async () => {
    const first = await ask("actors", "call", "counter", "called", "add", "--args", "[2]");
    assert.deepEqual(first, { code: 0, out: "2", err: "" });
    const id = await idOf("called");
    const second = await ask("actors", "call", id, "add", "--args", "[3]");
    assert.deepEqual(second, { code: 0, out: "5", err: "" });
    const existing = ["actors", "call", "counter", "nobody", "count", "--existing"];
    const missing = await ask(...existing);
    assert.deepEqual(missing, {
      code: 1,
      out: "",
      err: "roost: actor.not_found: there is no actor counter nobody",
    });
  });

  it("tell the errors of actions, of names and of tokens", async () => {
    const add = ["actors", "call", "counter", "failed", "add"];
    const refused = await ask(...add, "--args", '["x"]');
    assert.equal(refused.err, "roost: invalid_argument: by is x; it is a whole number");
    const unknown = await ask("actors", "call", "counter", "failed", "ad", "--json");
    assert.equal(JSON.parse(unknown.err).error.code, "actor.action_not_found");
    const nobody = await ask("actors", "ls", "count");
    assert.match(nobody.err, /^roost: actor\.not_registered: .*there are: counter$/);
    for (const token of [[], ["--token", "s3creT"]]) {
      const closed = await roost(["actors", "ls", "counter", "--url", served.url, ...token]);
      assert.equal(closed.code, 1);
      assert.match(closed.err, /^roost: auth\.forbidden: .*--token TOKEN or ROOST_ACTOR_TOKEN$/);
    }
    const list = (url: string) => roost(["actors", "ls", "counter", "--url", url], { env });
    const nowhere = await list(`${served.url}/ais`);
    assert.match(nowhere.err, /^roost: not_found: .* shows no actors \(status 404\)/);
    const silent = await list("http://127.0.0.1:1");
    assert.match(silent.err, /^roost: unavailable: no node answers at http:\/\/127\.0\.0\.1:1; /);
  });

  it("list every actor of a definition, more than a page of them, as far as they are asked to", async () => {
    const keys = Array.from({ length: 105 }, (_, at) => `listed-${String(at).padStart(3, "0")}`);
    await Promise.all(keys.map((key) => ask("actors", "call", "counter", key, "count")));
    const all = await ask("actors", "ls", "counter", "--limit", "1000", "--json");
    const lines = all.out.split("\n").map((line) => JSON.parse(line) as { readonly key: string });
    assert.deepEqual(
      lines.flatMap(({ key }) => (key.startsWith("listed-") ? key : [])),
      keys,
    );
    const some = await ask("actors", "ls", "counter", "--limit", "2");
    assert.equal(some.out.split("\n").length, 3);
    assert.match(some.out, /\nthe first 2 actors; --limit shows more$/);
    const count = String(lines.length);
    const exact = await ask("actors", "ls", "counter", "--limit", count);
    assert.match(exact.out, new RegExp(`\n${count} actors$`));
  });

  it("destroy an actor with all that it knows", async () => {
    await ask("actors", "call", "counter", "doomed", "add", "--args", "[1]");
    const id = await idOf("doomed");
    const destroyed = await ask("actors", "destroy", "counter", "doomed");
    assert.equal(destroyed.out, `destroyed ${id}  counter doomed`);
    assert.match((await ask("actors", "destroy", id)).err, /^roost: actor\.not_found: /);
    const anew = await ask("actors", "call", "counter", "doomed", "count");
    assert.equal(anew.out, "0");
    await ask("actors", "destroy", await idOf("doomed"));
  });

  it("list what is scheduled, by time", async () => {
    assert.deepEqual(await ask("alarms", "ls"), { code: 0, out: "no alarms", err: "" });
    for (const [key, ms] of [
      ["b", "7200000"],
      ["a", "3600000"],
    ] as const) {
      await ask("actors", "call", "counter", key, "addLater", "--args", `[1,${ms}]`);
    }
    const { out } = await ask("alarms", "ls");
    assert.match(out, /^\d{4}-\S+Z {2}counter a {2}add\n\d{4}-\S+Z {2}counter b {2}add$/);
    const one = JSON.parse((await ask("alarms", "ls", "--limit", "1", "--json")).out);
    assert.deepEqual([one.actor, one.key, one.action, one.failures], ["counter", "a", "add", 0]);
    const first = await ask("alarms", "ls", "--limit", "1");
    assert.match(first.out, /^\S+ {2}counter a {2}add\nthe first 1; --limit shows more$/);
    const closed = await roost(["alarms", "ls", "--token", "x", "--url", served.url]);
    assert.match(closed.err, /^roost: permission_denied: /);
  });

  it("list what is scheduled in a store at rest", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "node.db");
    const { serve } = await adapter();
    const node = await serve(app, { ...quiet, store: `file:${file}` });
    const add = ["counter", "resting", "addLater", "--args", "[1,3600000]"];
    await roost(["actors", "call", ...add, "--url", node.url]);
    await node.stop();
    const { code, out, err } = await roost(["alarms", "ls", "--store", file]);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^\S+Z {2}counter resting {2}add$/);
  });
});
