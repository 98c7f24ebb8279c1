import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import type { ServeOptions } from "../../adapters/serve/options.ts";
import { defineNode } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { type TemporaryFolder, temporaryFolder } from "../adapters/temporary_folder.ts";
import { freePort } from "../fixtures/ports.ts";
import {
  assertNoMore,
  type Resources,
  resources,
  showsDescriptors,
  watchTimers,
} from "../fixtures/resources.ts";

const timers = watchTimers();
const log = silentLogger();
const { serve, connect, rendezvous } = await runningModule();
const startTimeoutMs = 1_500;
const app = defineNode({ options: { lifecycle: { startTimeoutMs } } });
/** How late an error may be noticed: the machine is shared with other suites. */
const allowanceMs = 1_500;

/**
 * A port that takes connections and never says a word. Closing it takes 4 s on Node: after a request
 * that was aborted, its fetch opens another connection and keeps it for that long.
 */
async function blackHole(): Promise<{ port: number; server: Server }> {
  // Reads, so that it sees when the other end has gone.
  const server = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return { port: address.port, server };
}

async function failure(work: Promise<unknown>): Promise<{ error: ActrError; tookMs: number }> {
  const since = performance.now();
  const error = await work.then(
    () => assert.fail("it started"),
    (thrown: unknown) => thrown,
  );
  assert.ok(ActrError.is(error), String(error));
  return { error, tookMs: performance.now() - since };
}

const options = showsDescriptors ? {} : { skip: "this system does not show descriptors" };

describe("a start that fails leaves nothing running", options, () => {
  let folder: TemporaryFolder;
  let before: Resources;

  const start = (settings: ServeOptions): Promise<unknown> =>
    serve(app, {
      port: 0,
      hostname: "127.0.0.1",
      store: `file:${folder.path}/node.db`,
      log,
      ...settings,
    });

  const assertNothingLeft = (): Promise<void> => assertNoMore(timers, before, 5_000);

  beforeEach(async () => {
    folder = await temporaryFolder();
    // What is made once per process is made here.
    await (
      await rendezvous({
        port: 0,
        hostname: "127.0.0.1",
        store: `file:${folder.path}/first.db`,
        log,
      })
    ).stop();
    await fetch("http://127.0.0.1:9/").catch(() => {});
    before = await resources(timers);
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  it("[N-3] nobody listens at the rendezvous' address", async () => {
    const identity = `http://127.0.0.1:${await freePort()}/ais`;
    const { error, tookMs } = await failure(start({ identity }));
    assert.equal(error.code, "registration");
    assert.match(error.message, new RegExp(identity));
    assert.ok(tookMs < startTimeoutMs + allowanceMs, `${tookMs} ms`);
    await assertNothingLeft();
  });

  it("[N-3] the rendezvous takes connections and never answers", async () => {
    const { port, server } = await blackHole();
    const identity = `http://127.0.0.1:${port}/ais`;
    const { error, tookMs } = await failure(start({ identity }));
    assert.equal(error.code, "timed_out");
    assert.ok(
      tookMs >= startTimeoutMs - 1 && tookMs < startTimeoutMs + allowanceMs,
      `${tookMs} ms`,
    );
    await new Promise((resolve) => server.close(resolve));
    await assertNothingLeft();
  });

  it("the port is taken", async () => {
    const { port, server } = await blackHole();
    const { error } = await failure(start({ port }));
    assert.equal(error.code, "config");
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}\\b`));
    const alone = { port, hostname: "127.0.0.1", store: `file:${folder.path}/alone.db`, log };
    const second = await failure(rendezvous(alone));
    assert.equal(second.error.code, "config");
    assert.match(second.error.message, new RegExp(`127\\.0\\.0\\.1:${port}\\b`));
    await new Promise((resolve) => server.close(resolve));
    await assertNothingLeft();
  });

  it("[N-3] a peer that only calls finds nobody", async () => {
    const { error } = await failure(connect(`http://127.0.0.1:${await freePort()}`, { log }));
    assert.equal(error.code, "registration");
    await assertNothingLeft();
  });

  it("signaling cannot be reached, after the node has registered", async () => {
    await using server = await rendezvous({ port: 0, hostname: "127.0.0.1", log });
    const { identity } = server;
    const signaling = `ws://127.0.0.1:${await freePort()}/signaling/ws`;
    const { error, tookMs } = await failure(start({ identity, signaling }));
    assert.equal(error.code, "timed_out");
    assert.ok(tookMs < startTimeoutMs + allowanceMs, `${tookMs} ms`);
    await server.stop();
    await assertNothingLeft();
  });

  it("onStart fails, when everything else is up", async () => {
    const refused = new ActrError("invalid_argument", "not today");
    const hooks = { onStart: () => Promise.reject(refused) };
    const where = { port: 0, hostname: "127.0.0.1", store: `file:${folder.path}/hook.db`, log };
    assert.equal((await failure(serve(defineNode({ hooks }), where))).error, refused);
    await assertNothingLeft();
  });

  it("its own signal ends it", async () => {
    const { port, server } = await blackHole();
    const reason = new ActrError("stopping", "the test has seen enough");
    const enough = new AbortController();
    const starting = start({ identity: `http://127.0.0.1:${port}/ais`, signal: enough.signal });
    setTimeout(() => enough.abort(reason), 300);
    const { error, tookMs } = await failure(starting);
    assert.equal(error, reason);
    assert.ok(tookMs < 300 + allowanceMs, `${tookMs} ms`);
    await new Promise((resolve) => server.close(resolve));
    await assertNothingLeft();
  });
});
