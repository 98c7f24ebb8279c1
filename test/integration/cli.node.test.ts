import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { EchoService } from "../../examples/echo/echo_pb.ts";
import { describeService } from "../../src/protocol/descriptors.ts";
import { formatActrId } from "../../src/protocol/ids.ts";
import { turnCredential } from "../../src/protocol/turn.ts";
import { root } from "../tools/root.ts";
import { AppFolder, Roost, runtimes } from "./cli_process.ts";
import { idOf, register } from "./rendezvous_client.ts";

const echo = ["acme:EchoService:1.0.0", "echo.EchoService.Echo"] as const;
const hi = ["--json", '{"message":"hi"}'] as const;

/** Whether a health page answers; reads the page, since an unread one keeps its socket and this process. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    await response.text();
    return response.ok;
  } catch (error) {
    // Who takes the connection and says nothing is still there.
    return error instanceof Error && error.name === "TimeoutError";
  }
}

/** Listens on a free port, takes connections and never answers. */
async function listen(): Promise<AsyncDisposable & { readonly port: string }> {
  const server = createServer((socket) => socket.resume().on("error", () => {}));
  // What a failed test leaves open must not keep the process.
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: String((server.address() as { port: number }).port),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

for (const [index, runtime] of runtimes.entries()) {
  // Each runtime serves, and each is the caller of another.
  const caller = runtimes[(index + 1) % runtimes.length] ?? "node";

  describe(`roost on ${runtime}`, { timeout: 240_000 }, () => {
    it(`dev serves an app, ${caller} calls it, SIGTERM ends it with 0`, async () => {
      using folder = new AppFolder();
      await using dev = new Roost(runtime, ["dev", folder.path, "--port", "0", "--json"]);
      const { rendezvous, node, health, store } = await dev.addresses();
      assert.equal(store, `file:${join(folder.path, ".roost/node.db")}`);
      assert.match(node.ws, /^ws:\/\/127\.0\.0\.1:\d+\/ws$/);
      assert.equal(((await (await fetch(health)).json()) as { id: string }).id, node.id);

      const there = ["--identity", rendezvous];
      const called = await Roost.run(caller, "call", ...echo, ...hi, ...there);
      assert.deepEqual(called, { code: 0, out: '{"reply":"first: hi"}\n', err: "" });
      const byId = await Roost.run(runtime, "call", node.id, echo[1], ...hi, ...there);
      assert.deepEqual(byId, { code: 0, out: '{"reply":"first: hi"}\n', err: "" });
      const told = await Roost.run(caller, "tell", ...echo, ...hi, "--durable", ...there);
      assert.deepEqual(told, { code: 0, out: '{"sent":true,"durable":true}\n', err: "" });
      const found = await Roost.run(caller, "discover", echo[0], ...there);
      assert.deepEqual(found, { code: 0, out: `${node.id}\n`, err: "" });
      const brief = ["--count", "2", "--interval", "1"];
      const pinged = await Roost.run(caller, "ping", echo[0], ...brief, ...there);
      assert.deepEqual([pinged.code, pinged.err], [0, ""]);
      const shape =
        /^(\S+) answered, connecting took [\d.]+ ms\n {2}1 {2}[\d.]+ ms\n {2}2 {2}.*\n2 of 2/;
      assert.equal(shape.exec(pinged.out)?.[1], node.id);
      const counted = await Roost.run(runtime, "ping", node.id, ...brief, "--json", ...there);
      const [, one, , all] = counted.out.split("\n").map((line) => JSON.parse(line || "{}"));
      assert.ok(one.ping === 1 && one.ms > 0 && all.minMs <= all.avgMs, counted.out);
      assert.deepEqual([all.sent, all.answered], [2, 2]);
      const gone = node.id.replace(/^[^@]+/, "1");
      const lost = await Roost.run(caller, "ping", gone, ...brief, ...there);
      assert.equal(lost.code, 1);
      assert.match(lost.err, /^roost: unavailable: /);

      dev.signal("SIGTERM");
      const end = await dev.end();
      assert.equal(end.code, 0, end.err);
      assert.match(end.err, /rendezvous\.signaling\.unregistered/);
      await assert.rejects(fetch(health));
    });

    it("dev restarts on change, and keeps the old version when the new one is broken", async () => {
      using folder = new AppFolder();
      await using dev = new Roost(runtime, ["dev", folder.path, "--port", "0", "--json"]);
      const first = await dev.addresses();
      const healthy = (): Promise<boolean> => answers(first.health);

      folder.write("app.ts", "export const app = (;");
      await dev.says(/cannot load .*app\.ts.*\n.*the version before keeps serving/, "err");
      assert.ok(await healthy());
      folder.write("app.ts", "export const application = 1;");
      await dev.says(/exports no node.*\n.*the version before keeps serving/, "err");
      assert.ok(await healthy());

      folder.answer("second");
      const [, again = ""] = await dev.says(/^\{.*\}\n(\{.*\})$/m);
      const { rendezvous, node } = JSON.parse(again) as typeof first;
      // The identity is kept in the store; only the free port that the system chose may differ.
      const idOf = (id: string): string => id.slice(id.indexOf("/"));
      assert.equal(idOf(node.id), idOf(first.node.id));
      const called = await Roost.run(caller, "call", ...echo, ...hi, "--identity", rendezvous);
      assert.deepEqual(called, { code: 0, out: '{"reply":"second: hi"}\n', err: "" });
      dev.signal("SIGINT");
      assert.equal((await dev.end()).code, 0);
    });

    it("dev leaves no node behind when it is killed", async () => {
      using folder = new AppFolder();
      await using dev = new Roost(runtime, ["dev", folder.path, "--port", "0", "--json"]);
      const { health } = await dev.addresses();
      dev.signal("SIGKILL");
      for (let tries = 0; tries < 100; tries += 1) {
        if (!(await answers(health))) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.fail("the node still serves ten seconds later");
    });

    it("[N-12] serve takes actr.toml with access rules and scripts, then the environment, then flags, and joins a rendezvous elsewhere", async () => {
      using folder = new AppFolder();
      const store = `file:${join(folder.path, "rendezvous.db")}`;
      const alone = [
        "rendezvous",
        "--port",
        "0",
        "--store",
        store,
        "--realm",
        "7:s3cret",
        "--json",
      ];
      await using rendezvous = new Roost(caller, alone);
      const { rendezvous: identity } = await rendezvous.addresses();
      folder.write(
        "actr.toml",
        `[ais_endpoint]
url = "${identity}"
[deployment]
realm_id = 8
[websocket]
listen_port = 1
[storage]
mailbox_path = "box.db"
[discovery]
visible = true
[scripts]
run = "roost serve app.ts"
[[acl.rules]]
permission = "allow"
type = "local:Client:0.0.0"
`,
      );
      const env = { ROOST_REALM: "7", ROOST_REALM_SECRET: "s3cret", ROOST_PORT: "1" };
      await using serve = new Roost(runtime, ["serve", folder.file, "--port", "0", "--json"], env);
      const served = await serve.addresses();
      assert.equal(served.rendezvous, identity);
      assert.equal(served.store, `file:${join(folder.path, "box.db")}`);
      assert.match(served.node.id, /@7\/acme:EchoService:1\.0\.0$/);
      assert.match(serve.err, /config\.without_effect.*discovery\.visible/);

      const there = ["--identity", identity, "--realm", "7"];
      const called = await Roost.run(
        caller,
        "call",
        ...echo,
        ...hi,
        ...there,
        "--realm-secret",
        "s3cret",
      );
      assert.deepEqual(called, { code: 0, out: '{"reply":"first: hi"}\n', err: "" });
      const refused = await Roost.run(caller, "call", ...echo, ...hi, ...there);
      assert.equal(refused.code, 1);
      assert.match(
        refused.err,
        /^roost: registration: .*secret.*; choose .*--realm N, open it with \w+\n$/i,
      );

      serve.signal("SIGTERM");
      assert.equal((await serve.end()).code, 0);
      rendezvous.signal("SIGTERM");
      assert.equal((await rendezvous.end()).code, 0);
      assert.doesNotMatch(serve.err + rendezvous.err, /s3cret/);
    });

    it("rendezvous issues logins that TURN servers with its secret take", async () => {
      const urls = ["stun:stun.example:3478", "turn:turn.example:3478"];
      const servers = ["--stun", urls[0] as string, "--turn", urls[1] as string];
      const args = ["rendezvous", "--port", "0", "--store", ":memory:", "--json", ...servers];
      await using process = new Roost(runtime, args, { ROOST_TURN_SECRET: "of-coturn" });
      const { rendezvous } = await process.addresses();
      const registered = await register(rendezvous.replace(/\/ais$/, ""), "acme:Any:1.0.0");
      const { username = "", password } = registered.turnCredential ?? {};
      const [expiresAt = "", id = ""] = username.split(/:(.*)/);
      assert.equal(id, formatActrId(idOf(registered)));
      const expected = await turnCredential("of-coturn", id, Number(expiresAt));
      assert.equal(password, expected.password);
      assert.deepEqual(registered.turnCredential?.iceUrls, urls);
      assert.doesNotMatch(process.out + process.err, /of-coturn/);
    });

    it("says in one line what fails, and exits with 1 or 2", async () => {
      await using busy = await listen();
      const taken = busy.port;
      const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
        [
          ["call", ...echo, "--identity", `http://127.0.0.1:1`],
          1,
          /^roost: unavailable: no rendezvous answers at .*\n$/,
        ],
        [
          ["call", ...echo, "--identity", `http://127.0.0.1:${taken}`, "--timeout", "300"],
          1,
          /^roost: timed_out: no answer within 300 ms.*\n$/,
        ],
        [
          ["dev", "examples/echo", "--store", ":memory:", "--port", taken],
          1,
          /roost: config: .*\n$/,
        ],
        [["dev", "examples/ecko"], 2, /^roost: there is no examples\/ecko; .*\n$/],
        [
          ["serve", "examples/echo", "--signaling", "ws://x/y"],
          2,
          /^roost: signaling is ws:\/\/x\/y, but .*\n$/,
        ],
        [
          ["dev", "examples/echo", "--prot", "1"],
          2,
          /^roost: unknown option --prot\. Did you mean --port\?\n$/,
        ],
      ];
      for (const [args, code, line] of cases) {
        const end = await Roost.run(runtime, ...args);
        assert.equal(end.code, code, `${args.join(" ")}: ${end.err}`);
        assert.match(end.err, line);
        assert.doesNotMatch(end.err, /\n\s+at /);
      }
    });

    it("doctor finds the machine fit, and tells of a port that is taken", async () => {
      const busy = await listen();
      const taken = busy.port;
      const bad = await Roost.run(runtime, "doctor", "--port", taken);
      assert.equal(bad.code, 1);
      assert.match(bad.out, new RegExp(`✖ port ${taken}: .*\n    stop what listens there`));
      await busy[Symbol.asyncDispose]();
      const good = await Roost.run(runtime, "doctor", "--port", taken, "--json");
      const { ok, findings } = JSON.parse(good.out) as {
        ok: boolean;
        findings: { name: string; detail: string }[];
      };
      assert.deepEqual([good.code, ok], [0, true], good.out);
      assert.match(
        findings.find((each) => each.name === "runtime")?.detail ?? "",
        new RegExp(runtime),
      );
    });
  });
}

describe("roost call with a schema of its own", { timeout: 180_000 }, () => {
  it("encodes by --proto, imports and well-known types included, or by a FileDescriptorSet", async () => {
    using folder = new AppFolder();
    folder.write(
      "mine.proto",
      `syntax = "proto3";
package echo;
import "messages.proto";
service EchoService { rpc Echo(other.Ask) returns (other.Told); rpc Tail(other.Ask) returns (stream other.Told); }
`,
    );
    folder.write(
      "messages.proto",
      `syntax = "proto3";
package other;
import "google/protobuf/timestamp.proto";
message Ask { string the_text = 1; google.protobuf.Timestamp at = 9; }
message Told { string heard_text = 1; }
`,
    );
    await using dev = new Roost("node", ["dev", folder.path, "--port", "0", "--json"]);
    const { rendezvous } = await dev.addresses();
    const proto = ["--proto", join(folder.path, "mine.proto"), "--identity", rendezvous];
    const request = '{"theText":"hi","at":"2020-01-01T00:00:00Z"}';
    for (const runtime of runtimes) {
      const end = await Roost.run(runtime, "call", ...echo, "--json", request, ...proto);
      assert.deepEqual(end, { code: 0, out: '{"heardText":"first: hi"}\n', err: "" });
    }
    const set = join(folder.path, "echo.binpb");
    writeFileSync(set, describeService(EchoService));
    const bySet = await Roost.run("node", "call", ...echo, ...hi, ...proto, "--proto", set);
    assert.deepEqual(bySet, { code: 0, out: '{"reply":"first: hi"}\n', err: "" });
    const unknown = await Roost.run("node", "call", echo[0], "echo.EchoService.Tail", ...proto);
    assert.deepEqual(unknown.code, 1);
    assert.match(unknown.err, /has no unary method Tail; it has Echo, Tail/);
    const misfit = await Roost.run("node", "call", ...echo, "--json", '{"text":1}', ...proto);
    assert.match(misfit.err, /^roost: invalid_argument: the JSON is no Ask: .*text/);
    const route = await Roost.run(
      "node",
      "call",
      echo[0],
      "echo.Nobody.Echo",
      "--identity",
      rendezvous,
    );
    assert.match(
      route.err,
      /^roost: not_found: echo\.Nobody is not served here, but echo\.EchoService\n$/,
    );
    assert.equal(route.code, 1);
  });
});

describe("the scripts of the repository", { timeout: 180_000 }, () => {
  it("name one command line on every runtime", async () => {
    const npm = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
    const deno = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")).tasks;
    for (const name of ["start", "dev", "roost"]) {
      assert.equal(
        npm[name].replace("node --import tsx", "node_modules/.bin/deno run -A"),
        deno[name],
      );
    }
  });
});
