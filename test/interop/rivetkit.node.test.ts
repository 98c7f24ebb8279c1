import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { Program, runtimeNames } from "../fixtures/runtimes.ts";

/** The npm client, in a folder of its own: `npm ci --prefix test/tools/rivetkit --ignore-scripts --omit=optional`. */
const client = new URL(
  "../tools/rivetkit/node_modules/rivetkit/dist/tsup/client/mod.js",
  import.meta.url,
);

/** What is used of it; its own types would have to be installed to check ours. */
interface Handle {
  readonly [action: string]: (...args: unknown[]) => Promise<unknown>;
}
interface Accessor {
  get(key: string[]): Handle;
  getOrCreate(key: string[], options?: object): Handle;
  create(key: string[], options?: object): Promise<Handle>;
  getForId(id: string): Handle;
}
type Connection = Handle & {
  on(event: string, listener: (value: unknown) => void): () => void;
};
type Client = { readonly counter: Accessor } & { dispose(): Promise<void> };

const skip = existsSync(client)
  ? false
  : "rivetkit is not installed: npm ci --prefix test/tools/rivetkit --ignore-scripts --omit=optional";

async function connected(endpoint: string, encoding: string): Promise<Client> {
  const { createClient } = await import(client.href);
  return createClient({ endpoint, encoding, devtools: false }) as Client;
}

function method(handle: Handle, name: string): (...args: unknown[]) => Promise<unknown> {
  const found = handle[name];
  assert.ok(found, name);
  return (...args) => found(...args);
}

for (const runtime of runtimeNames) {
  describe(`the client of RivetKit, as npm has it, and actors on ${runtime}`, { skip }, () => {
    for (const encoding of ["json", "cbor", "bare"]) {
      it(`${encoding}: actions, errors, queues, finding and making actors`, {
        timeout: 60_000,
      }, async () => {
        await using node = new Program(runtime, "test/fixtures/actors_node.ts", []);
        const { url } = await node.line<{ url: string }>();
        const { counter } = await connected(url, encoding);
        const handle = counter.getOrCreate(["a", "b/c"], { createWithInput: { start: 40 } });
        const call = (name: string, ...args: unknown[]) => method(handle, name)(...args);
        assert.equal(await call("increment", 2), 42);
        const value = { a: [1, "two", null, 1.5, -7, 4_294_967_296, true, "é"] };
        assert.deepEqual(await call("echo", value), value);
        assert.equal(await call("nothing"), undefined);
        assert.equal(await call("count"), 0);
        if (encoding !== "cbor") {
          const odd = [5n, new Uint8Array([1, 2]), ["$odd", 1]];
          assert.deepEqual(await call("echo", odd), odd);
        }
        await assert.rejects(call("fail", "user"), {
          group: "user",
          code: "boom",
          message: "boom message",
          metadata: { hint: 1 },
        });
        await assert.rejects(call("fail", "x"), { code: "internal_error" });
        await assert.rejects(call("nope"), { group: "actor", code: "action_not_found" });
        const id = String(await call("resolve"));
        assert.equal(await method(counter.getForId(id), "increment")(0), 42);
        await assert.rejects(counter.create(["a", "b/c"]), { code: "duplicate_key" });
        const made = await counter.create(["new"], { input: { start: 1 } });
        assert.equal(await method(made, "increment")(1), 2);
        await assert.rejects(method(counter.get(["none"]), "resolve")(), { code: "not_found" });
        const working = call("work");
        assert.deepEqual(await call("send", "work", { n: 21 }, { wait: true, timeout: 5000 }), {
          status: "completed",
          response: { doubled: 42 },
        });
        await working;
        await call("send", "log", { a: 1 });
        const timedOut = { status: "timedOut" };
        assert.deepEqual(
          await call("send", "work", { n: 1 }, { wait: true, timeout: 50 }),
          timedOut,
        );
        await call("destroy");
        assert.equal(await method(counter.getOrCreate(["a", "b/c"]), "increment")(1), 1);
      });

      it(`${encoding}: connections, their events, errors and parameters`, {
        timeout: 60_000,
      }, async () => {
        await using node = new Program(runtime, "test/fixtures/actors_node.ts", []);
        const { url } = await node.line<{ url: string }>();
        const { counter } = await connected(url, encoding);
        const handle = counter.getOrCreate(["room"]) as Handle & {
          connect(params: unknown): Connection;
        };
        const conn = handle.connect({ user: "ü" });
        const seen: unknown[] = [];
        void conn.on("newCount", (count) => seen.push(count));
        assert.equal(await method(conn, "increment")(1), 1);
        assert.equal(await method(conn, "increment")(200), 201);
        assert.deepEqual(await method(conn, "params")(), { user: "ü" });
        assert.equal(await method(conn, "nothing")(), undefined);
        await assert.rejects(method(conn, "fail")("user"), { group: "user", code: "boom" });
        await assert.rejects(method(conn, "fail")("x"), { code: "internal_error" });
        assert.equal(await method(handle, "increment")(1), 202);
        assert.equal(await method(conn, "count")(), 0);
        assert.deepEqual(seen, [1, 201, 202]);
        await method(conn, "dispose")();
      });
    }
  });
}
