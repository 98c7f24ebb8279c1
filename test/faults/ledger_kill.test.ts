import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { type ActrId, parseActrId } from "../../src/protocol/ids.ts";
import { methodCodecs } from "../../src/protocol/service.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { LedgerService } from "../fixtures/ledger_pb.ts";
import { freePort } from "../fixtures/ports.ts";
import { adapter, Program, thisRuntime } from "../fixtures/runtimes.ts";

const kills = 20;
const callee = fileURLToPath(new URL("./ledger_node.ts", import.meta.url));

/** Ways to have an entry take effect; each ends with the sender knowing that it counts. */
const ways = ["durable tell", "durable call", "plain call"] as const;

interface Answered {
  readonly way: (typeof ways)[number];
  readonly requestId: string;
  readonly answer: Uint8Array;
}

const [plain, durable] = methodCodecs(LedgerService);

/** Senders that load a ledger until told to stop, and remember what they were told. */
class Load {
  readonly answered = new Map<string, Answered>();
  readonly #caller: Served;
  readonly #target: ActrId;
  #running = true;
  #next = 0;
  readonly #senders: Promise<void>[];

  constructor(caller: Served, target: ActrId, round: number) {
    this.#caller = caller;
    this.#target = target;
    this.#senders = ways.flatMap((way) => Array.from({ length: 4 }, () => this.#send(way, round)));
  }

  /** No new entries; resolves when everything sent has been answered. */
  async end(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#senders);
  }

  async #send(way: (typeof ways)[number], round: number): Promise<void> {
    while (this.#running) {
      const entry = `${round}-${this.#next++}`;
      const requestId = `request-${entry}`;
      const answer = await deliver(this.#caller, this.#target, way, entry, requestId);
      this.answered.set(entry, { way, requestId, answer });
    }
  }
}

/** Sends one entry; while the node is away for good as far as anybody knows, again under its request id. */
async function deliver(...sending: Parameters<typeof deliverOnce>): Promise<Uint8Array> {
  for (;;) {
    try {
      return await deliverOnce(...sending);
    } catch (error) {
      if (!ActrError.is(error) || error.details?.["reason"] !== "no_route") throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

async function deliverOnce(
  { context }: Served,
  target: ActrId,
  way: (typeof ways)[number],
  entry: string,
  requestId: string,
): Promise<Uint8Array> {
  assert.ok(plain && durable);
  const options = { requestId, timeoutMs: 25_000 };
  const body = plain.encodeRequest({ id: entry });
  switch (way) {
    case "durable tell":
      await context.tell(target, durable.routeKey, body, { ...options, durable: true });
      return new Uint8Array(0);
    case "durable call":
      return await context.call(target, durable.routeKey, body, options);
    case "plain call":
      return await context.call(target, plain.routeKey, body, options);
  }
}

/** A repeat of an answered request gets the same answer, also from the process that came after. */
async function checkRepeats(
  caller: Served,
  target: ActrId,
  answered: ReadonlyMap<string, Answered>,
): Promise<void> {
  for (const [entry, { way, requestId, answer }] of [...answered].slice(-30)) {
    assert.deepEqual(
      await deliver(caller, target, way, entry, requestId),
      answer,
      `${way} ${entry}`,
    );
  }
}

/** Every entry that was answered has taken effect once. */
async function checkEffects(
  { context }: Served,
  target: ActrId,
  answered: ReadonlyMap<string, Answered>,
): Promise<void> {
  const ledger = context.service(LedgerService, target);
  const wrong: string[] = [];
  for (const [entry, { way }] of answered) {
    const { times } = await ledger.read({ id: entry });
    if (times !== 1) wrong.push(`${way} ${entry}: ${times} times`);
  }
  assert.deepEqual(wrong, []);
}

describe("a node under kill -9", () => {
  it(`loses nothing, doubles nothing, forgets no answer over ${kills} kills [ND-5] [ND-6]`, {
    timeout: 240_000,
  }, async () => {
    await using folder = await temporaryFolder();
    const random = new SeededRandom(20_261_120);
    const { serve } = await adapter();
    const outbound = { reliableAttempts: 1000, reliablePausesMs: [25] };
    await using caller = await serve(defineNode({ options: { outbound } }), {
      port: 0,
      hostname: "127.0.0.1",
      log: silentLogger(),
    });
    const store = `file:${join(folder.path, "node.db")}`;
    const args = [String(await freePort()), store, caller.identity];
    const start = async (): Promise<{ readonly node: Program; readonly id: string }> => {
      const node = new Program(thisRuntime, callee, args);
      return { node, ...(await node.line<{ id: string }>()) };
    };
    const answered = new Map<string, Answered>();
    let { node, id } = await start();
    const target = parseActrId(id);
    try {
      for (let kill = 0; kill < kills; kill++) {
        const load = new Load(caller, target, kill);
        await new Promise((resolve) => setTimeout(resolve, 20 + random.next() * 200));
        await node.kill("SIGKILL");
        const first = id;
        ({ node, id } = await start());
        assert.equal(id, first, "the node lost its identity");
        await load.end();
        await checkRepeats(caller, target, load.answered);
        for (const [entry, one] of load.answered) answered.set(entry, one);
      }
      await checkEffects(caller, target, answered);
      assert.ok(answered.size > kills * ways.length, `only ${answered.size} entries were sent`);
    } finally {
      await node.kill();
    }
  });
});
