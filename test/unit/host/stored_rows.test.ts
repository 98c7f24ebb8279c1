import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import {
  type ConnectionRow,
  putConnection,
  readConnection,
} from "../../../src/host/connections/connection_row.ts";
import { actorRecordOf, actorSpace, creation } from "../../../src/host/contents.ts";
import { putMessage, readMessage } from "../../../src/host/queues/queue_row.ts";
import {
  alarmSpace,
  putSchedule,
  readAlarmKey,
  readSchedule,
  type ScheduleRow,
} from "../../../src/host/schedules/schedule_row.ts";
import type { StoreChange } from "../../../src/ports/store.ts";
import { encodeCbor } from "../../../src/protocol/cbor/encode.ts";

const record = { name: "room", key: ["a", "b"], input: { n: 1n }, createdAt: 5, stateVersion: 2 };

const schedule: ScheduleRow = {
  ...{ id: "s1", name: "nightly", action: "tick", args: [1, "two", new Date(3)] },
  ...{ dueAt: 1_700_000_000_000, nextAt: 1_700_000_001_000, everyMs: 5000, cron: undefined },
  ...{ timeZone: undefined, maxRetries: 3, retryDelayMs: 1000, failures: 1, fireId: "f" },
  ...{ claimedAt: undefined, runs: [1, 2] },
};

const connection: ConnectionRow = {
  id: "c1",
  params: { token: "t" },
  state: new Map([["seen", new Set([1])]]),
  events: ["changed"],
};

const message = {
  ...{ seq: 7, name: "jobs", body: encodeCbor("x") },
  ...{ sentAt: 1, availableAt: 2, attempts: 3 },
};

type Put = Extract<StoreChange, { readonly kind: "record.put" }>;

/** The row that a change puts. */
function put(change: StoreChange | undefined): Put {
  assert.equal(change?.kind, "record.put");
  return change as Put;
}

/** Each begins with its version: an array of two, the first of which is 1. */
function assertVersioned({ value }: Put): void {
  assert.deepEqual([value[0], value[1]], [0x82, 1]);
}

describe("rows of an actor", () => {
  it("[H-27] are read as they were written, each with its version: record, alarm, connection, message", async () => {
    const store = new MemoryStore();
    const made = creation("id", record);
    await store.commit(made);
    assert.deepEqual(await actorRecordOf(store, "id"), record);
    assertVersioned(put(made[1]));

    const [row, line] = putSchedule("id", schedule, undefined).map(put) as [Put, Put];
    assert.deepEqual(readSchedule(row), schedule);
    assertVersioned(row);
    assert.equal(line.space, alarmSpace);
    assert.deepEqual(readAlarmKey(line.key), {
      at: schedule.nextAt,
      actorId: "id",
      scheduleId: "s1",
    });

    const conn = put(putConnection("space", connection));
    assert.deepEqual(readConnection(conn), connection);
    assertVersioned(conn);

    const sent = put(putMessage("space", message));
    assert.deepEqual(readMessage(sent), message);
    assertVersioned(sent);
  });

  it("[H-27] hold no arguments for schedules that have none", () => {
    const none = { ...schedule, args: [] };
    const row = put(putSchedule("id", none, undefined)[0]);
    assert.deepEqual(readSchedule(row), none);
    assert.doesNotMatch(new TextDecoder().decode(row.value), /args/);
  });

  it("of a later release, or damaged, are told of and not guessed at", async () => {
    const store = new MemoryStore();
    for (const [value, text] of [
      [encodeCbor([2, record]), /the record of actor id has version 2; this release reads 1/],
      [Uint8Array.of(0xff), /the record of actor id cannot be read/],
      [encodeCbor("text"), /cannot be read/],
    ] as const) {
      await store.commit([{ kind: "record.put", space: actorSpace("id"), key: "!", value }]);
      await assert.rejects(actorRecordOf(store, "id"), {
        code: "protocol.invalid_persisted_data",
        message: text,
      });
    }
  });
});
