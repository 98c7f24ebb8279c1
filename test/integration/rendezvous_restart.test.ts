import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { delay } from "#async";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode, service } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { formatActrId } from "../../src/protocol/ids.ts";
import { type TemporaryFolder, temporaryFolder } from "../adapters/temporary_folder.ts";
import { freePort } from "../fixtures/ports.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";

const program = fileURLToPath(new URL("../fixtures/rendezvous_program.ts", import.meta.url));
const callee = defineNode({
  type: "test:Callee:1.0.0",
  services: [
    service(ProbeService, { handlers: { echo: ({ data }) => ({ data }), wait: () => ({}) } }),
  ],
});
/** Loss has to be noticed within this, and each return done: milliseconds. */
const lossLimitMs = 15_000;
const returnLimitMs = 30_000;

/** Calls without a pause until it is ended. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  #running = true;
  readonly #callers: Promise<void>[];

  constructor(from: Served, to: Served) {
    const client = from.context.service(ProbeService, to.id);
    this.#callers = Array.from({ length: 4 }, async () => {
      while (this.#running) {
        await client.echo({ data: new Uint8Array(64) }, { timeoutMs: 5_000 }).then(
          () => this.answered++,
          (error: unknown) => this.failures.push(String(error)),
        );
        await delay(1);
      }
    });
  }

  /** Resolves when so many more calls have been answered. */
  more(count: number): Promise<void> {
    const goal = this.answered + count;
    return until(`${count} more answers`, () => this.answered >= goal, 20_000);
  }

  async end(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#callers);
  }
}

describe("a rendezvous that goes away under load", () => {
  let folder: TemporaryFolder;
  let port: number;
  let server: Program;
  let nodes: readonly [Served, Served, ...Served[]];
  let ids: readonly string[];
  let load: Load;

  const startServer = async (): Promise<void> => {
    const options = JSON.stringify({ heartbeatIntervalMs: 1_000 });
    server = new Program(thisRuntime, program, [
      String(port),
      `file:${folder.path}/rendezvous.db`,
      options,
    ]);
    await server.line(60_000);
  };

  const startNode = async (app: ReturnType<typeof defineNode>): Promise<Served> =>
    (await runningModule()).serve(app, {
      port: 0,
      hostname: "127.0.0.1",
      identity: `http://127.0.0.1:${port}/ais`,
      log: silentLogger(),
    });

  const connected = (): boolean[] => nodes.map(({ node }) => node.presence.signaling.connected);

  /** Connections that the server holds, also ones of nodes that it no longer counts. */
  const connections = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    return ((await response.json()) as { connections: number }).connections;
  };

  /** All nodes are whom they were, find each other, and no call has failed meanwhile. */
  const assertUnharmed = async (): Promise<void> => {
    const [from, to] = nodes;
    assert.deepEqual(
      nodes.map(({ id }) => formatActrId(id)),
      ids,
    );
    for (const { node } of nodes) {
      assert.equal(node.presence.session.current.generation, 1);
      assert.equal(node.phase, "running");
    }
    assert.deepEqual(await from.context.discover("test:Callee:1.0.0"), [to.id]);
    await load.more(20);
    assert.deepEqual(load.failures, []);
  };

  before(async () => {
    folder = await temporaryFolder();
    port = await freePort();
    await startServer();
    const caller = defineNode({ type: "test:Caller:1.0.0" });
    const bystanders = Array.from({ length: 8 }, () => startNode(caller));
    nodes = [await startNode(caller), await startNode(callee), ...(await Promise.all(bystanders))];
    ids = nodes.map(({ id }) => formatActrId(id));
    await nodes[0].context.discover("test:Callee:1.0.0");
    load = new Load(nodes[0], nodes[1]);
  });

  after(async () => {
    await load?.end();
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    await server?.kill();
    await folder?.[Symbol.asyncDispose]();
  });

  for (const [signal, downMs] of [
    ["SIGKILL", 0],
    ["SIGTERM", 5_000],
    ["SIGKILL", 0],
  ] as const) {
    it(`[T-87] comes back ${downMs} ms after ${signal}: one connection per node, nobody registers again`, async () => {
      const gone = performance.now();
      await server.kill(signal);
      await until("all notice", () => connected().every((each) => !each), lossLimitMs);
      assert.ok(performance.now() - gone < lossLimitMs);
      await assert.rejects(nodes[0].context.discover("test:Callee:1.0.0"), { code: "unavailable" });
      await load.more(50);
      await delay(downMs);
      const limit = AbortSignal.timeout(returnLimitMs);
      const waits = nodes.flatMap(({ node }) =>
        Array.from({ length: 3 }, () => node.presence.signaling.connect({ signal: limit })),
      );
      await startServer();
      await Promise.all(waits);
      assert.equal(await connections(), nodes.length);
      await assertUnharmed();
    });
  }

  it("takes in a new node after it came back, which the others find and call", async () => {
    const app = defineNode({ ...callee, type: "test:Newcomer:1.0.0" });
    await using newcomer = await startNode(app);
    const [from] = nodes;
    assert.ok(!ids.includes(formatActrId(newcomer.id)));
    assert.deepEqual(await from.context.discover("test:Newcomer:1.0.0"), [newcomer.id]);
    await from.context.service(ProbeService, newcomer.id).echo({ data: new Uint8Array(8) });
  });

  it("[N-9] [T-14] [T-86] goes silent: nodes stay up, requests fail in time, then all go on", async () => {
    const [from] = nodes;
    const failure = async (): Promise<{ code: string; at: number }> => {
      const error = await from.context.discover("test:Callee:1.0.0").then(
        () => assert.fail("nobody was there to answer"),
        (thrown: unknown) => ActrError.from(thrown),
      );
      return { code: error.code, at: performance.now() };
    };
    server.signal("SIGSTOP");
    const askedAt = performance.now();
    const unanswered = await failure();
    const tookMs = unanswered.at - askedAt;
    assert.equal(unanswered.code, "timed_out");
    assert.ok(tookMs > 4_000 && tookMs < 7_000, `${tookMs} ms`);
    server.signal("SIGCONT");
    await assertUnharmed();

    server.signal("SIGSTOP");
    const waiting = failure();
    await delay(1_000);
    await server.kill("SIGKILL");
    const brokenAt = performance.now();
    const broken = await waiting;
    assert.equal(broken.code, "unavailable");
    assert.ok(broken.at - brokenAt < 500, `${broken.at - brokenAt} ms`);
    await startServer();
    await until("all are back", () => connected().every(Boolean), returnLimitMs);
    await assertUnharmed();
  });
});
