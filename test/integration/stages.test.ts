import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import { defineNode, type NodeDefinition, service } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";

const { connect, prepare, serve } = await runningModule();
const log = silentLogger();
const where = { port: 0, hostname: "127.0.0.1", log } as const;
const handlers = { echo: ({ data }: { data: Uint8Array }) => ({ data }), wait: () => ({}) };
const app = defineNode({
  type: "test:Probe:1.0.0",
  services: [service(ProbeService, { handlers })],
});

/** The app, with an `onStart` that waits until it is let go on, or the start is ended. */
function slowToStart(): { app: NodeDefinition; begun: Promise<void>; goOn: () => void } {
  let goOn = (): void => {};
  let begin = (): void => {};
  const door = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const onStart = (): Promise<void> => {
    begin();
    return door;
  };
  return { app: { ...app, hooks: { onStart } }, begun, goOn };
}

/** Whether somebody answers at `url`. */
const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    async (response) => (await response.text()) === "ok",
    () => false,
  );

describe("a node in stages", () => {
  it("has its port and identity once registered, and is found once it runs", async () => {
    const told: string[] = [];
    const attached = prepare(where)
      .attach(app)
      .observe({
        onStart: () => void told.push("onStart"),
        onStop: () => void told.push("onStop"),
      });
    await using registered = await attached.register();
    const { url, id } = registered;
    assert.equal(await answers(url), true);
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 503);
    await ready.body?.cancel();
    await using peer = await connect(url, { log });
    await assert.rejects(peer.find("test:Probe:1.0.0"), { code: "not_found" });
    assert.deepEqual(told, []);
    const served = await registered.start();
    assert.equal(served.id.serial, id.serial);
    assert.equal(served.url, url);
    assert.equal((await peer.find("test:Probe:1.0.0")).serial, id.serial);
    await registered[Symbol.asyncDispose]();
    assert.equal(served.node.phase, "running", "who has arrived stays");
    await served.stop();
    assert.deepEqual(told, ["onStart", "onStop"]);
    assert.equal(served.node.phase, "stopped");
    assert.equal(await answers(url), false);
  });

  it("[ND-34] binds before it registers: it advertises its real port, and without a port it is not registered", async () => {
    await using home = await serve(defineNode({}), where);
    const { signaling } = home.node.presence;
    const candidates = (name: string) => {
      const type = { manufacturer: "test", name, version: "1.0.0" };
      return signaling.routeCandidates(type, 1, { signal: AbortSignal.timeout(5_000) });
    };
    const elsewhere = { ...where, identity: home.identity };
    await using served = await serve(app, elsewhere);
    const { port } = new URL(served.url);
    assert.notEqual(port, "0");
    const [found] = await candidates("Probe");
    assert.equal(found?.wsAddress, `ws://127.0.0.1:${port}/ws`);
    const second = defineNode({ type: "test:Second:1.0.0" });
    const taken = prepare({ ...elsewhere, port: Number(port) }).attach(second);
    await assert.rejects(taken.register(), { code: "config", message: new RegExp(port) });
    assert.deepEqual(await candidates("Second"), []);
  });

  it("has stopped for whoever waits for it, also when the node itself was asked to", {
    timeout: 60_000,
  }, async () => {
    const served = await serve(app, where);
    await served.node.stop();
    await served.stopped;
    assert.equal(await answers(served.url), false);
  });

  it("goes each way once", async () => {
    const attached = prepare(where).attach(app);
    await using registered = await attached.register();
    await assert.rejects(attached.register(), { name: "TypeError", message: /register\(\)/ });
    assert.throws(() => attached.observe({}), TypeError);
    await using served = await registered.start();
    await assert.rejects(registered.start(), { name: "TypeError", message: /start\(\)/ });
    assert.equal(served.node.phase, "running");
  });

  it("may be given up before each next stage", async () => {
    const attached = prepare(where).attach(app);
    await attached[Symbol.asyncDispose]();
    await assert.rejects(attached.register(), { name: "TypeError", message: /given up/ });
    const registered = await prepare(where).attach(app).register();
    await registered[Symbol.asyncDispose]();
    await registered[Symbol.asyncDispose]();
    assert.equal(await answers(registered.url), false);
    await assert.rejects(registered.start(), { name: "TypeError", message: /given up/ });
  });

  it("may be stopped while it starts: the start ends, and all of it is undone", async () => {
    const slow = slowToStart();
    const registered = await prepare(where).attach(slow.app).register();
    const failed = assert.rejects(registered.start(), { code: "stopping" });
    await slow.begun;
    await registered[Symbol.asyncDispose]();
    await failed;
    assert.equal(await answers(registered.url), false);
  });

  it("a start that is aborted rejects with the reason, and all of it is undone", async () => {
    const slow = slowToStart();
    const enough = new AbortController();
    const reason = new ActrError("stopping", "the test has seen enough");
    const registered = await prepare(where).attach(slow.app).register();
    const failed = assert.rejects(registered.start({ signal: enough.signal }), (e) => e === reason);
    await slow.begun;
    enough.abort(reason);
    await failed;
    assert.equal(await answers(registered.url), false);
  });

  it("lives again in the same process: another start on the same store is the same node", async () => {
    await using folder = await temporaryFolder();
    // The identity belongs to the rendezvous that issued it, so that outlives the node.
    await using home = await serve(defineNode({}), where);
    const prepared = prepare({
      ...where,
      identity: home.identity,
      store: `file:${folder.path}/node.db`,
      port: 20_000 + (process.pid % 12_000),
    });
    const serials: bigint[] = [];
    for (let life = 0; life < 3; life++) {
      await using registered = await prepared.attach(app).register();
      await using served = await registered.start();
      serials.push(served.id.serial);
      await Promise.all([served.stop(), served.stop()]);
      await served.stopped;
    }
    assert.equal(new Set(serials).size, 1);
  });
});

describe("a process that is asked to stop", () => {
  const heard = (): number => process.listenerCount("SIGTERM") + process.listenerCount("SIGINT");

  it("stops the node that was told to listen, and leaves no listener", async () => {
    const before = heard();
    const served = await serve(app, { ...where, stopOnSignals: true });
    assert.equal(heard(), before + 2);
    process.emit("SIGTERM");
    await served.stopped;
    assert.equal(served.node.phase, "stopped");
    assert.equal(heard(), before);
    await using silent = await serve(app, where);
    assert.equal(heard(), before);
    assert.equal(silent.node.phase, "running");
  });

  it("ends a start that is under way", async () => {
    const before = heard();
    const slow = slowToStart();
    const failed = assert.rejects(serve(slow.app, { ...where, stopOnSignals: true }), {
      code: "stopping",
      message: /SIGINT/,
    });
    await slow.begun;
    process.emit("SIGINT");
    await failed;
    assert.equal(heard(), before);
  });
});
