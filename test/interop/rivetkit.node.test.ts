import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Program, runtimeNames } from "../fixtures/runtimes.ts";

/** The npm client, in a folder of its own: `npm install --no-save --prefix test/tools/rivetkit --ignore-scripts --omit=optional`. */
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

/** What a raw WebSocket of it tells of. */
interface SocketEvents {
  open: (event: unknown) => void;
  message: (event: { readonly data: unknown }) => void;
  close: (event: { readonly code: number; readonly reason: string }) => void;
}
interface Raw {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  webSocket(path: string): Promise<{
    send(data: string | Uint8Array): void;
    addEventListener<Name extends keyof SocketEvents>(
      name: Name,
      listener: SocketEvents[Name],
    ): void;
  }>;
}

const limit = { timeout: 60_000 };

const skip = existsSync(client)
  ? false
  : "rivetkit is not installed: npm install --no-save --prefix test/tools/rivetkit --ignore-scripts --omit=optional";

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
    let node: Program;
    let url = "";

    before(async () => {
      node = new Program(runtime, "test/fixtures/actors_node.ts", []);
      ({ url } = await node.line<{ url: string }>());
    }, limit);

    after(() => node[Symbol.asyncDispose](), limit);

    for (const encoding of ["json", "cbor", "bare"]) {
      it(`${encoding}: actions, errors, queues, finding and making actors`, limit, async () => {
        const { counter } = await connected(url, encoding);
        const handle = counter.getOrCreate([encoding, "b/c"], { createWithInput: { start: 40 } });
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
        await assert.rejects(counter.create([encoding, "b/c"]), { code: "duplicate_key" });
        const made = await counter.create(["new", encoding], { input: { start: 1 } });
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
        assert.equal(await method(counter.getOrCreate([encoding, "b/c"]), "increment")(1), 1);
      });

      it(`${encoding}: connections, their events, errors and parameters`, limit, async () => {
        const { counter } = await connected(url, encoding);
        const handle = counter.getOrCreate(["room", encoding]) as Handle & {
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

    for (const base of ["", "/actors"]) {
      it(`raw HTTP below ${base || "/"}`, limit, async () => {
        const { counter } = await connected(url + base, "bare");
        const handle = counter.getOrCreate(["raw", base]) as Handle & Raw;
        const answer = await handle.fetch("/x//y?a=1&b=%2F", { method: "PUT", body: "hällo" });
        assert.equal(answer.status, 201);
        const said = { path: "/x/y?a=1&b=%2F", method: "PUT", body: "hällo" };
        assert.deepEqual(await answer.json(), said);
        const withParams = counter.getOrCreate(["raw", base], { params: { user: "u" } });
        const root = await (withParams as Handle & Raw).fetch("");
        assert.deepEqual(await root.json(), {
          path: "/",
          method: "GET",
          params: { user: "u" },
          body: "",
        });
        const failed = await handle.fetch("fail");
        assert.equal(failed.status, 400);
        assert.equal(await method(handle, "increment")(1), 3);
      });

      it(`raw WebSockets below ${base || "/"}`, limit, async () => {
        const { counter } = await connected(url + base, "bare");
        const handle = counter.getOrCreate(["socket", base]) as Handle & Raw;
        const socket = await handle.webSocket("chat?x=1");
        const seen: unknown[] = [];
        const end = new Promise<unknown[]>((resolve) => {
          socket.addEventListener("message", ({ data }) => {
            seen.push(typeof data === "string" ? data : [...new Uint8Array(data as ArrayBuffer)]);
          });
          socket.addEventListener("close", ({ code, reason }) => resolve([code, reason]));
        });
        socket.addEventListener("open", () => {
          socket.send("text");
          socket.send(Uint8Array.of(1, 2));
          socket.send("bye");
        });
        assert.deepEqual(await end, [4001, "enough"]);
        assert.deepEqual(seen, ["/websocket/chat?x=1", "text", [1, 2], "bye"]);
        assert.equal(await method(handle, "increment")(0), 3);
        const denied = await handle.webSocket("deny");
        const refusal = new Promise<unknown[]>((resolve) => {
          denied.addEventListener("close", ({ code, reason }) => resolve([code, reason]));
        });
        assert.deepEqual(await refusal, [1011, "user.denied"]);
      });
    }
  });
}
