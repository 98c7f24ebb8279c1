import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { defineNode } from "../../src/define.ts";
import type { LetterPage, LetterView, MailboxView } from "../../src/inspector/inspector.ts";
import type { DeadLetter } from "../../src/ports/store.ts";
import { directions, encodeEnvelope } from "../../src/protocol/envelope.ts";
import { lanes } from "../../src/protocol/frame.ts";
import { type ActrId, encodeActrId, formatActrId, parseActrId } from "../../src/protocol/ids.ts";
import { methodCodecs } from "../../src/protocol/service.ts";
import { WebSocketTransport } from "../../transports/websocket/websocket_transport.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { LedgerService } from "../fixtures/ledger_pb.ts";
import { freePort } from "../fixtures/ports.ts";
import { adapter, Program, thisRuntime } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import { type Addresses, AppFolder, type End, Roost } from "./cli_process.ts";

const program = fileURLToPath(new URL("../fixtures/dlq_node.ts", import.meta.url));
const [, add] = methodCodecs(LedgerService);
const poison = Uint8Array.of(0xff, 0x00, 0xff);
const token = "integration";

type Mode = "broken" | "mended";

/** A node with its store on disk, which can be killed and started again on the same port. */
class DlqNode implements AsyncDisposable {
  readonly store: string;
  readonly #args: readonly string[];
  #program: Program | undefined;
  id: ActrId = parseActrId("0@0/a:b:1.0.0");
  url = "";

  private constructor(args: readonly string[], store: string) {
    this.#args = args;
    this.store = store;
  }

  static async in(folder: string, identity: string): Promise<DlqNode> {
    const store = join(folder, "node.db");
    return new DlqNode([String(await freePort()), `file:${store}`, identity], store);
  }

  async start(mode: Mode): Promise<void> {
    this.#program = new Program(thisRuntime, program, [...this.#args, mode]);
    const { id, url } = await this.#program.line<{ id: string; url: string }>();
    this.id = parseActrId(id);
    this.url = url;
  }

  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  mend(): void {
    this.#program?.send("mend");
  }

  async effects(): Promise<Record<string, number>> {
    this.#program?.send("effects");
    return (await this.#program?.line<Record<string, number>>()) ?? {};
  }

  async ask<Answer>(path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/inspect${path}`, {
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    return (await response.json()) as Answer;
  }

  /** Resolves when so many letters are there. */
  letters(count: number): Promise<void> {
    const counted = async () => (await this.ask<LetterPage>("/dead-letters")).stats.total === count;
    return until(`${count} dead letters`, counted, 20_000);
  }

  /** Runs a command against the node, or against its store. */
  async roost(place: "url" | "store", ...args: string[]): Promise<End> {
    const where = place === "url" ? ["--url", this.url] : ["--store", this.store];
    const env = place === "url" ? { ROOST_INSPECT_TOKEN: token } : {};
    await using process = new Roost(thisRuntime, [...args, ...where], env);
    return await process.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

async function caller(): Promise<Served> {
  const { serve } = await adapter();
  return serve(defineNode({}), { port: 0, hostname: "127.0.0.1", log: silentLogger() });
}

/** Sends bytes that are no envelope, over a WebSocket of its own. */
async function sendPoison({ node }: Served, { id, url }: DlqNode): Promise<void> {
  const { signal } = node.context;
  const parts = { ...node.components, ...node.presence.transportIdentity };
  const address = { id, url: `${url.replace("http", "ws")}/ws` };
  const link = await new WebSocketTransport(parts).dial(address, { signal });
  await link.send({ lane: lanes.rpcReliable, body: poison });
  await link.close("sent");
}

function tell(entry: string): Uint8Array {
  assert.ok(add);
  return encodeEnvelope({
    routeKey: add.routeKey,
    payload: add.encodeRequest({ id: entry }),
    direction: directions.tell,
    requestId: entry,
    metadata: [],
    timeoutMs: 0,
  });
}

/** Writes dead letters into a store at rest. */
async function seed(file: string, from: ActrId, entries: readonly string[]): Promise<void> {
  const options = { clock: systemClock(), random: systemRandom() };
  await using store = await openStore(`file:${file}`, options, new AbortController().signal);
  const letters = entries.map(
    (entry, at): DeadLetter => ({
      id: `letter-${entry}`,
      messageId: null,
      from: encodeActrId(from),
      to: null,
      rawBytes: tell(entry),
      reason: "seeded",
      category: "handler_error",
      traceId: entry,
      requestId: entry,
      createdAt: Date.now() - 10_000 + at,
      redriveAttempts: 0,
      lastRedriveAt: null,
      context: null,
    }),
  );
  await store.commit(letters.map((letter) => ({ kind: "deadLetter.put", letter })));
}

const linesOf = <Line>({ out }: End): Line[] =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

describe("dead letters of a real node", { timeout: 240_000 }, () => {
  it("are listed, shown, redriven once mended, and purged; over HTTP and at rest", async () => {
    await using folder = await temporaryFolder();
    await using sender = await caller();
    await using node = await DlqNode.in(folder.path, sender.identity);
    await node.start("broken");
    assert.ok(add);

    await sendPoison(sender, node);
    await node.letters(1);
    const listed = await node.roost("url", "dlq", "ls", "--json");
    assert.equal(listed.code, 0, listed.err);
    const [letter] = linesOf<LetterView>(listed);
    assert.equal(letter?.category, "protobuf_decode");
    assert.equal(letter?.from, formatActrId(sender.id));
    const shown = await node.roost("url", "dlq", "show", letter?.id ?? "", "--json");
    assert.match(shown.out, /"source":"gate"/);
    assert.match(shown.out, /"rawBytes":"\/wD\/"/);

    for (const id of ["a", "b", "c"]) {
      await sender.context.tell(node.id, add.routeKey, add.encodeRequest({ id }), {
        durable: true,
      });
    }
    await node.letters(4);
    assert.deepEqual(await node.effects(), {});
    node.mend();
    const redriven = await node.roost("url", "dlq", "redrive", "--category", "handler_error");
    assert.deepEqual(redriven, { code: 0, out: "redriven 3\n", err: "" });
    await until("effects", async () => Object.keys(await node.effects()).length === 3, 10_000);
    assert.deepEqual(await node.effects(), { a: 1, b: 1, c: 1 });
    const again = await node.roost("url", "dlq", "redrive", "--all", "--json");
    assert.equal(again.code, 1, "what cannot be decoded stays");
    assert.match(again.out, /^\{"redriven":0,"kept":\[\{"id":"[0-9a-f-]{36}","reason":".+"\}\]/);

    const view = await node.roost("url", "mailbox", "--json");
    assert.equal(linesOf<MailboxView>(view)[0]?.oldestAgeMs, null);
    const busy = await node.roost("store", "dlq", "ls");
    assert.equal(busy.code, 1);
    assert.match(busy.err, /^roost: storage: .*node\.db.*\n$/);
    const wrong = await node.roost("url", "dlq", "ls", "--token", "wrong");
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /refuses this inspection token/);

    await node.kill();
    const rest = await node.roost("store", "dlq", "ls");
    assert.match(rest.out, /protobuf_decode .*\n1 in all: protobuf_decode 1\n$/);
    const purged = await node.roost("store", "dlq", "purge", "--all", "--json");
    assert.deepEqual(purged, { code: 0, out: '{"purged":1,"kept":[],"missing":[]}\n', err: "" });
    assert.equal((await node.roost("store", "dlq", "ls")).out, "no dead letters\n");
    const empty = await node.roost("store", "mailbox", "--json");
    const stored = { queuedNormal: 0, queuedHigh: 0, claimed: 0 };
    assert.deepEqual(linesOf<MailboxView>(empty)[0]?.stored, stored);
  });

  it("a redrive of 1,000 under kill -9, at rest and running, loses and doubles nothing", async () => {
    await using folder = await temporaryFolder();
    await using sender = await caller();
    await using node = await DlqNode.in(folder.path, sender.identity);
    const entries = Array.from({ length: 1_000 }, (_, at) => `entry-${at}`);
    await seed(node.store, sender.id, entries);

    const args = ["dlq", "redrive", "--all", "--store", node.store];
    await using atRest = new Roost(thisRuntime, args);
    await atRest.says(/redriven \d+ so far/, "err");
    atRest.signal("SIGKILL");
    await atRest.end();

    const random = new SeededRandom(20_261_121);
    for (let kill = 0; kill < 4; kill += 1) {
      await node.start("mended");
      const batch = node.ask("/dead-letters/redrive", { all: true }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1 + random.next() * 20));
      await node.kill();
      await batch;
    }
    await node.start("mended");
    const last = await node.roost("url", "dlq", "redrive", "--all");
    assert.equal(last.code, 0, last.err);
    const isEmpty = async () => {
      const { stored } = await node.ask<MailboxView>("/mailbox");
      return stored.queuedNormal + stored.claimed === 0;
    };
    await until("all handled", isEmpty, 30_000);
    const effects = await node.effects();
    const wrong = entries.filter((entry) => effects[entry] !== 1);
    assert.deepEqual(
      wrong.map((entry) => `${entry}: ${effects[entry]}`),
      [],
    );
    assert.equal((await node.ask<LetterPage>("/dead-letters")).stats.total, 0);
  });

  it("roost dev makes up an inspection token for this machine alone, and shows it", async () => {
    using folder = new AppFolder();
    const dev = ["dev", folder.path, "--port", "0", "--json"];
    {
      await using process = new Roost(thisRuntime, dev);
      const { inspect, health } = (await process.addresses()) as Shown;
      assert.match(inspect?.token ?? "", /^[0-9a-f]{32}$/);
      const ask = async (token: string) => {
        const headers = { authorization: `Bearer ${token}` };
        const response = await fetch(`${inspect?.url}/mailbox`, { headers });
        await response.text();
        return response.status;
      };
      assert.equal(await ask(inspect?.token ?? ""), 200);
      assert.equal(await ask("0".repeat(32)), 401);
      assert.equal(inspect?.url, health.replace("/health", "/inspect"));
    }
    await using open = new Roost(thisRuntime, [...dev, "--host", "0.0.0.0"]);
    const { inspect, health } = (await open.addresses()) as Shown;
    assert.equal(inspect, undefined);
    const response = await fetch(health.replace("/health", "/inspect/mailbox"));
    await response.text();
    assert.equal(response.status, 404);
  });
});

/** What `roost dev --json` prints. */
interface Shown extends Addresses {
  readonly inspect?: { readonly url: string; readonly token: string };
}
