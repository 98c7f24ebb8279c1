import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dataChunk, nodeError, observations } from "../../conformance/guest_samples.ts";
import { bytesOf, callerId, type ProbeInstance, selfId } from "../../conformance/guest_world.ts";
import { inlineGuest } from "../../fixtures/guests/inline_guest.ts";
import { JournalReader } from "../../fixtures/guests/journal.ts";

async function journalOf(probe: ProbeInstance): Promise<JournalReader> {
  const outcome = await probe.dispatch("journal");
  assert.ok("ok" in outcome && outcome.ok !== undefined);
  return new JournalReader(outcome.ok);
}

/** The rest of an entry of the journal: nobody asked for it. */
function endsUnasked(journal: JournalReader, requestId: string): void {
  assert.deepEqual(journal.context(), { selfId, callerId: undefined, requestId });
}

describe("what a component is told", () => {
  it("[G-80] of twelve observations, in their order, each under its request id", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    for (const entry of observations) await probe.enter(entry);
    const journal = await journalOf(probe);
    for (const [index, entry] of observations.entries()) {
      assert.equal(journal.u32(), 6 + index, entry.name);
      readEvent(journal, entry.name);
      endsUnasked(journal, entry.name);
    }
    assert.ok(journal.done);
  });

  /** Reads what `observations` says of the entry. */
  function readEvent(journal: JournalReader, name: string): void {
    const entry = observations.find((one) => one.name === name);
    if (entry === undefined || !("event" in entry)) return;
    const { event } = entry;
    if ("peer" in event) {
      const statuses = ["idle", "connecting", "connected", "recovering"];
      assert.deepEqual(journal.id(), event.peer);
      assert.equal(
        journal.option(() => journal.u32() === 1),
        event.relayed,
      );
      assert.equal(
        journal.option(() => statuses[journal.u32()]),
        event.status,
      );
    } else if ("newExpiry" in event) {
      assert.equal(journal.u64(), event.newExpiry.seconds);
      assert.equal(journal.u32(), event.newExpiry.nanoseconds);
    } else if ("threshold" in event) {
      assert.deepEqual([journal.u64(), journal.u64()], [event.queueLength, event.threshold]);
    }
  }

  it("[G-82] of its begin and end, and that it is ready", async () => {
    await using world = await inlineGuest("probe");
    world.answer = () => ({ ok: new Uint8Array() });
    const probe = await world.instance();
    const names = ["on-start", "on-ready", "on-stop"] as const;
    for (const name of names) await probe.enter({ name });
    const journal = await journalOf(probe);
    for (const [index, name] of names.entries()) {
      assert.equal(journal.u32(), 1 + index);
      endsUnasked(journal, name);
    }
    assert.ok(journal.done);
  });

  it("[GD-10] of errors of its node", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    await probe.enter(nodeError);
    const journal = await journalOf(probe);
    assert.deepEqual([journal.u32(), journal.u32()], [4, 7]);
    assert.deepEqual([journal.text(), journal.text()], ["billing", "gone"]);
    assert.deepEqual([journal.u32(), journal.text()], [3, "link"]);
    assert.deepEqual([journal.u64(), journal.u32()], [1n, 2]);
    endsUnasked(journal, "on-error");
    assert.ok(journal.done);
  });

  it("of chunks, with all that they carry, and who sent them", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    await probe.enter(dataChunk("ström", bytesOf("piece")));
    const journal = await journalOf(probe);
    assert.deepEqual([journal.u32(), journal.text(), journal.u64()], [5, "ström", 3n]);
    assert.deepEqual(journal.bytes(), bytesOf("piece"));
    const metadata = Array.from({ length: journal.u32() }, () => [journal.text(), journal.text()]);
    assert.deepEqual(metadata, [
      ["", "ä"],
      ["k", ""],
    ]);
    assert.equal(
      journal.option(() => BigInt.asIntN(64, journal.u64())),
      -1n,
    );
    assert.deepEqual(journal.id(), callerId);
    assert.deepEqual(journal.context(), { selfId, callerId, requestId: "on-data-chunk" });
    assert.ok(journal.done);
  });
});
