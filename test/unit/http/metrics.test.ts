import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { testNode } from "../../../adapters/memory/test_node.ts";
import { app as counterApp } from "../../../examples/counter/app.ts";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { defineNode } from "../../../src/define.ts";
import { exposition, gauge, histogram } from "../../../src/exposition.ts";
import { guestFault } from "../../../src/guest/fault.ts";
import { Histogram } from "../../../src/histogram.ts";
import { metricsText } from "../../../src/http/metrics.ts";
import type { NodeHealth } from "../../../src/node/health.ts";
import { temporaryFolder } from "../../adapters/temporary_folder.ts";
import { adapter } from "../../fixtures/runtimes.ts";
import { guestNode } from "../guest/workload_support.ts";
import { echoNode, gate } from "../node/support.ts";
import { type Family, parseExposition } from "./exposition_parser.ts";

const limit = { timeout: 60_000 };

interface Told {
  readonly type: string;
  readonly labels: string[];
}

/** The metrics that README.md beside their source lists: name, labels and type; those of nodes that have a guest, or of all. */
function documented({ ofGuests }: { readonly ofGuests: boolean }): Map<string, Told> {
  const text = readFileSync(new URL("../../../src/http/README.md", import.meta.url), "utf8");
  const rows = text.matchAll(/^\| `(roost_\w+)(?:\{([\w,]+)\})?` \| (\w+) \| \S/gm);
  const all = [...rows].map(
    ([, name = "", labels = "", type = ""]) =>
      [name, { type, labels: labels.split(",").filter((label) => label !== "") }] as const,
  );
  return new Map(all.filter(([name]) => name.startsWith("roost_guest_") === ofGuests).sort());
}

function toldBy(families: ReadonlyMap<string, Family>): [string, Told][] {
  return [...families].map(([name, { type, labels }]) => [name, { type, labels }]);
}

/** Each sample by name and labels. */
function samplesOf(families: ReadonlyMap<string, Family>): Map<string, number> {
  return new Map([...families.values()].flatMap(({ samples }) => [...samples]));
}

describe("metrics", () => {
  it(
    "are what the documentation lists: names, types, labels; none is missing, none disappears",
    limit,
    async () => {
      const { serve } = await adapter();
      const quiet = { port: 0, hostname: "127.0.0.1", log: silentLogger() } as const;
      await using folder = await temporaryFolder();
      const store = `file:${join(folder.path, "node.db")}`;
      const app = { ...counterApp, ...echoNode() };
      await using served = await serve(app, { ...quiet, store });
      const scrape = async () =>
        parseExposition(await (await fetch(`${served.url}/metrics`)).text());
      const before = await scrape();
      assert.deepEqual(new Map(toldBy(before).sort()), documented({ ofGuests: false }));

      await using caller = await serve(defineNode({}), { ...quiet, identity: served.identity });
      const echo = caller.context.service(EchoService, served.id);
      await echo.echo({ message: "x" });
      await echo.echo.tell({ message: "y" }, { durable: true });
      const after = samplesOf(await scrape());
      for (const [sample, value] of samplesOf(before)) {
        const later = after.get(sample);
        assert.ok(later !== undefined, `${sample} has disappeared`);
        const counts = /_total$|_count$|_bucket\{/.test(sample);
        assert.ok(!counts || later >= value, `${sample} went down: ${value}, ${later}`);
      }
      assert.equal(after.size, samplesOf(before).size, "nothing appears later either");
      assert.equal(after.get('roost_links{transport="websocket",direction="inbound"}'), 1);
      assert.equal(
        after.get('roost_links_opened_total{transport="websocket",direction="inbound"}'),
        1,
      );
      assert.equal(after.get('roost_link_frames_total{transport="websocket",way="received"}'), 2);
      const sent = after.get('roost_link_bytes_total{transport="websocket",way="sent"}');
      assert.ok(sent !== undefined && sent > 0 && sent < 1_000, `${sent} bytes`);
      const [session] = served.node.outbound.sessions.sessions();
      await [...(session?.links ?? [])][0]?.close("test");
      const ended = samplesOf(await scrape());
      assert.equal(ended.get('roost_links_closed_total{transport="websocket",reason="local"}'), 1);
      assert.equal(ended.get('roost_link_bytes_total{transport="websocket",way="sent"}'), sent);
      assert.ok((after.get("roost_store_commits_total") ?? 0) > 0);
      assert.ok((after.get("roost_store_transaction_duration_seconds_count") ?? 0) > 0);
    },
  );

  it("of a node with a guest tell of it, too", limit, async () => {
    let fault = false;
    await using t = await guestNode(({ entry }) => {
      if (fault && entry.name === "dispatch") throw guestFault("out_of_fuel", "it computes");
      return { ok: undefined };
    });
    const scrape = () => parseExposition(metricsText(t.node));
    const ofGuests = toldBy(scrape()).filter(([name]) => name.startsWith("roost_guest_"));
    assert.deepEqual(new Map(ofGuests.sort()), documented({ ofGuests: true }));
    fault = true;
    const caller = await t.peer();
    await assert.rejects(caller.context.call(t.id, "any", new Uint8Array(0)), { code: "internal" });
    const samples = samplesOf(scrape());
    assert.equal(samples.get('roost_guest_faults_total{fault="out_of_fuel"}'), 1);
    assert.equal(samples.get('roost_guest_faults_total{fault="trapped"}'), 0);
  });

  it("count by priority, by handler and by time", limit, async () => {
    const door = gate();
    await using t = await testNode(echoNode((text) => door.promise.then(() => text)));
    const figures = async () =>
      samplesOf(parseExposition(await (await t.fetch("/metrics")).text()));
    const calls = ["a", "b", "c"].map((message) => t.service(EchoService).echo({ message }));
    await t.clock.settle();
    const busy = await figures();
    assert.equal(busy.get('roost_mailbox_queued{priority="normal"}'), 2);
    assert.equal(busy.get('roost_mailbox_queued{priority="high"}'), 0);
    assert.equal(busy.get("roost_handlers_running"), 1);
    await t.clock.advance(2_000);
    door.open();
    await Promise.all(calls);
    await t.clock.settle();
    const done = await figures();
    assert.equal(done.get("roost_requests_total"), 3);
    assert.equal(done.get("roost_handlers_running"), 0);
    assert.equal(done.get("roost_handler_duration_seconds_count"), 3);
    assert.equal(done.get('roost_handler_duration_seconds_bucket{le="1"}'), 2);
    assert.equal(done.get('roost_handler_duration_seconds_bucket{le="2.5"}'), 3);
    assert.equal(done.get("roost_dedup_entries"), 3);
    assert.equal(done.get("roost_session_active"), 1);
    const { credentialExpiresAtMs } = t.node.presence.session.current;
    assert.equal(
      done.get("roost_credential_expiry_timestamp_seconds"),
      credentialExpiresAtMs / 1000,
    );
  });

  it("count the actors that are awake by their definition, as /health does", limit, async () => {
    await using t = await testNode(counterApp);
    const awake = async () => {
      const text = await (await t.fetch("/metrics")).text();
      const figure = samplesOf(parseExposition(text)).get('roost_actors_awake{actor="counter"}');
      const { actors } = (await (await t.fetch("/health")).json()) as NodeHealth;
      assert.deepEqual(actors, { awake: { counter: figure } });
      return figure;
    };
    assert.equal(await awake(), 0);
    await Promise.all(["a", "b"].map((key) => t.actors.counter.get(key).add(1)));
    assert.equal(await awake(), 2);
    await t.clock.advance(120_000);
    assert.equal(await awake(), 0);
  });

  it("say of what form they are", limit, async () => {
    await using t = await testNode(echoNode());
    const response = await t.fetch("/metrics");
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  });
});

describe("exposition", () => {
  it("escapes labels, and counts buckets up to each bound", () => {
    const values = new Histogram([1, 2]);
    for (const value of [0.5, 1, 1.5, 9]) values.observe(value);
    const text = exposition([
      gauge("a", "An a.", [{ labels: { x: 'q"\\\n' }, value: 1.5 }]),
      histogram("h", "An h.", values),
    ]);
    assert.deepEqual(text.trimEnd().split("\n"), [
      "# HELP a An a.",
      "# TYPE a gauge",
      'a{x="q\\"\\\\\\n"} 1.5',
      "# HELP h An h.",
      "# TYPE h histogram",
      'h_bucket{le="1"} 2',
      'h_bucket{le="2"} 3',
      'h_bucket{le="+Inf"} 4',
      "h_sum 12",
      "h_count 4",
    ]);
    assert.deepEqual([...parseExposition(text).keys()], ["a", "h"]);
  });

  it("is refused by its parser where it is not well formed", () => {
    const good = "# HELP a An a.\n# TYPE a counter\na_total 1\n";
    for (const bad of [
      "a 1\n",
      "# HELP a An a.\na 1\n",
      "# HELP a An a.\n# TYPE a gauge\na x\n",
      "# HELP a An a.\n# TYPE a gauge\na 1",
      "# HELP a An a.\n# TYPE a gauge\na{b=c} 1\n",
      "# HELP a An a.\n# TYPE a gauge\na 1\na 1\n",
      "# HELP a An a.\n# TYPE a gauge\n",
      '# HELP h An h.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
      `${good}${good}`,
    ]) {
      assert.throws(() => parseExposition(bad), Error, bad);
    }
  });
});
