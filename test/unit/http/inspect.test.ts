import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, formatActrId } from "@roost/edge";
import { type TestNode, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type {
  LetterDetails,
  LetterPage,
  MailboxView,
  PurgeResult,
  RedriveResult,
} from "../../../src/inspector/inspector.ts";
import type { Selection } from "../../../src/inspector/selection.ts";
import type { DeadLetter } from "../../../src/ports/store.ts";
import { methodCodecs } from "../../../src/protocol/service.ts";
import { echoNode, gate } from "../node/support.ts";

const [codec] = methodCodecs(EchoService);
const limit = { timeout: 60_000 };
const inspectToken = "a-token-of-the-test";

/** Asks `/inspect` with the token. */
function ask(t: TestNode, path: string, body?: unknown): Promise<Response> {
  return t.fetch(`/inspect${path}`, {
    headers: { authorization: `Bearer ${inspectToken}` },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
}

async function get<Answer>(t: TestNode, path: string, body?: unknown): Promise<Answer> {
  const response = await ask(t, path, body);
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(response.headers.get("cache-control"), "no-store");
  return (await response.json()) as Answer;
}

async function failure(
  t: TestNode,
  path: string,
  body?: unknown,
): Promise<[number, string, string]> {
  const response = await ask(t, path, body);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, error.code, error.message];
}

const open = (app = echoNode()): Promise<TestNode> => testNode(app, { inspectToken });

async function putLetters(t: TestNode, count: number, category = "handler_error"): Promise<void> {
  const letters = Array.from(
    { length: count },
    (_, at): DeadLetter => ({
      id: `${category}-${at}`,
      messageId: null,
      from: null,
      to: null,
      rawBytes: Uint8Array.of(0xff, at % 256),
      reason: "test",
      category,
      traceId: "trace",
      requestId: null,
      createdAt: t.clock.now() - 10_000 + at,
      redriveAttempts: 0,
      lastRedriveAt: null,
      context: null,
    }),
  );
  await t.store.commit(letters.map((letter) => ({ kind: "deadLetter.put", letter })));
}

describe("/inspect", () => {
  it(
    "is not there without a token, and answers 401 to a wrong one, whatever is asked",
    limit,
    async () => {
      await using closed = await testNode(echoNode());
      assert.equal((await ask(closed, "/mailbox")).status, 404);
      await using t = await open();
      const statusOf = async (authorization: string | undefined, path = "/mailbox") => {
        const headers = authorization === undefined ? {} : { headers: { authorization } };
        const response = await t.fetch(`/inspect${path}`, headers);
        assert.doesNotMatch(await response.text(), /queued/);
        return response.status;
      };
      for (const wrong of [
        undefined,
        "",
        "Bearer",
        "Bearer x",
        "Bearer a-token-of-the-tesT",
        "Basic a-token-of-the-test",
      ]) {
        assert.equal(await statusOf(wrong), 401, wrong);
      }
      assert.equal(await statusOf("Bearer x", "/nothing"), 401);
      assert.equal(await statusOf(`Bearer ${"x".repeat(100_000)}`), 401);
      assert.equal((await ask(t, "/nothing")).status, 404);
    },
  );

  it(
    "shows the mailbox: what waits by priority, what is in flight, how old the oldest is",
    limit,
    async () => {
      const door = gate();
      await using t = await open(echoNode(() => door.promise.then(() => ""), { durable: true }));
      const calls = [1, 2, 3].map(() => t.service(EchoService).echo({}));
      await t.clock.settle();
      await t.clock.advance(2_000);
      const view = await get<MailboxView>(t, "/mailbox");
      assert.equal(view.queuedNormal, 2);
      assert.equal(view.queuedHigh, 0);
      assert.equal(view.inFlight, 1);
      assert.ok(view.bytes !== null && view.bytes > 0);
      assert.equal(view.oldestAgeMs, 2_000);
      assert.deepEqual(view.stored, { queuedNormal: 2, queuedHigh: 0, claimed: 1 });
      door.open();
      await Promise.all(calls);
      assert.equal((await get<MailboxView>(t, "/mailbox")).oldestAgeMs, null);
    },
  );

  it(
    "lists dead letters by category, sender and page, newest first, and shows one with its bytes",
    limit,
    async () => {
      let fails = true;
      await using t = await open(
        echoNode(() => {
          if (fails) throw new ActrError("invalid_argument", "not this one");
          return "";
        }),
      );
      await putLetters(t, 5, "protobuf_decode");
      const peer = await t.peer();
      const request = codec?.encodeRequest({ message: "x" }) ?? new Uint8Array();
      await peer.context.tell(t.id, "echo.EchoService.Echo", request);
      await t.clock.settle();
      fails = false;
      const all = await get<LetterPage>(t, "/dead-letters?limit=4");
      assert.equal(all.letters.length, 4);
      assert.deepEqual(all.stats.byCategory, { protobuf_decode: 5, handler_error: 1 });
      const [first] = all.letters;
      assert.equal(first?.category, "handler_error");
      assert.equal(first?.from, formatActrId(peer.id));
      assert.equal(first?.routeKey, "echo.EchoService.Echo");
      assert.equal("rawBytes" in (first ?? {}), false);
      const rest = await get<LetterPage>(t, `/dead-letters?after=${all.next}`);
      assert.deepEqual(
        rest.letters.map(({ id }) => id),
        ["protobuf_decode-1", "protobuf_decode-0"],
      );
      assert.equal(rest.next, null);
      const from = encodeURIComponent(formatActrId(peer.id));
      assert.equal((await get<LetterPage>(t, `/dead-letters?from=${from}`)).letters.length, 1);
      const category = await get<LetterPage>(t, "/dead-letters?category=protobuf_decode");
      assert.equal(category.letters.length, 5);

      const shown = await get<LetterDetails>(t, "/dead-letters/protobuf_decode-3");
      assert.equal(shown.rawBytes, "/wM=");
      assert.equal(shown.bytes, 2);
      assert.equal(shown.routeKey, null);
      assert.deepEqual(await failure(t, "/dead-letters/none"), [
        404,
        "not_found",
        "there is no dead letter none",
      ]);

      const redriven = await get<RedriveResult>(t, "/dead-letters/redrive", { all: true });
      assert.equal(redriven.redriven, 1);
      assert.equal(redriven.kept.length, 5);
      assert.equal(redriven.next, null);
      await t.clock.settle();
      assert.equal(t.node.inbound.handled, 1);
      assert.equal((await get<LetterPage>(t, "/dead-letters")).letters.length, 5);
    },
  );

  it("redrives and purges in batches, each telling how to go on", limit, async () => {
    await using t = await open();
    await putLetters(t, 250, "protobuf_decode");
    let kept = 0;
    let batches = 0;
    for (let next: Selection | null = { all: true }; next !== null; batches += 1) {
      const result: RedriveResult = await get(t, "/dead-letters/redrive", next);
      kept += result.kept.length;
      next = result.next;
    }
    assert.deepEqual([batches, kept], [3, 250]);
    const letters = await t.store.deadLetters(300);
    assert.ok(letters.every(({ redriveAttempts }) => redriveAttempts === 1));

    const before = t.clock.now() - 10_000 + 120;
    const purged: number[] = [];
    for (let next: Selection | null = { before }; next !== null; ) {
      const result: PurgeResult = await get(t, "/dead-letters/purge", next);
      purged.push(result.purged);
      next = result.next;
    }
    assert.deepEqual(purged, [100, 20]);
    const byId = { ids: ["protobuf_decode-200", "none"] };
    assert.deepEqual(await get<PurgeResult>(t, "/dead-letters/purge", byId), {
      purged: 1,
      missing: ["none"],
      next: null,
    });
    assert.equal((await t.store.deadLetterStats()).total, 129);
  });

  it("refuses what it does not understand or what is too much, naming it", limit, async () => {
    await using t = await open();
    const ids = Array.from({ length: 101 }, (_, at) => String(at));
    const wrong: [unknown, RegExp][] = [
      [[], /selection is an object/],
      [{}, /nothing is selected/],
      [{ ids: [] }, /0 ids/],
      [{ ids }, /101 ids/],
      [{ ids: ["a"], all: true }, /stand alone/],
      [{ ids: [7] }, /id must be a text/],
      [{ all: false }, /all is false/],
      [{ category: "x".repeat(129) }, /category must be/],
      [{ before: -1 }, /before is -1/],
      [{ every: true }, /every is unknown/],
    ];
    for (const [body, message] of wrong) {
      for (const operation of ["redrive", "purge"]) {
        const [status, code, text] = await failure(t, `/dead-letters/${operation}`, body);
        assert.deepEqual([status, code], [400, "invalid_argument"]);
        assert.match(text, message);
      }
    }
    assert.equal((await failure(t, "/dead-letters/purge", { ids: ["x".repeat(20_000)] }))[0], 413);
    const queries = ["limit=0", "limit=101", "limit=x", "from=nobody", "order=up", "category="];
    for (const query of queries) {
      assert.equal((await failure(t, `/dead-letters?${query}`))[0], 400, query);
    }
    assert.equal((await failure(t, "/dead-letters?after=none"))[0], 404);
    assert.equal((await ask(t, "/dead-letters/redrive")).status, 404, "a letter of that name");
  });

  it("answers 503 when the store cannot write, and does nothing then", limit, async () => {
    await using t = await open();
    await putLetters(t, 2);
    t.store.fail("database or disk is full");
    assert.equal((await failure(t, "/dead-letters/purge", { all: true }))[0], 503);
    t.store.fail(undefined);
    assert.equal((await get<PurgeResult>(t, "/dead-letters/purge", { all: true })).purged, 2);
  });
});

describe("health of the store", () => {
  it(
    "/readyz is 503 with the store's fault while it lasts; /health tells it and counts dead letters",
    limit,
    async () => {
      await using t = await open();
      await putLetters(t, 3, "protobuf_decode");
      const health = async () =>
        (await (await t.fetch("/health")).json()) as Record<string, object>;
      assert.deepEqual((await health())["deadLetters"], {
        written: 0,
        stored: {
          total: 3,
          byCategory: { protobuf_decode: 3 },
          redriven: 0,
          oldestAt: t.clock.now() - 10_000,
        },
      });
      assert.equal((await t.fetch("/readyz")).status, 200);
      t.store.fail("database or disk is full");
      const response = await t.fetch("/readyz");
      assert.equal(response.status, 503);
      assert.deepEqual(await response.json(), {
        ready: false,
        reasons: ["the store cannot write: database or disk is full"],
      });
      const { store } = await health();
      assert.equal((store as { fault: string }).fault, "database or disk is full");
      t.store.fail(undefined);
      assert.equal((await t.fetch("/readyz")).status, 200);
    },
  );
});
