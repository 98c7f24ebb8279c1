import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { Effects } from "../../adapters/sql/effects.ts";
import { deadLetterQuery, deadLettersQuery } from "../../adapters/sql/letter_queries.ts";
import { openDriver, openStore } from "../../adapters/sql/open.ts";
import {
  answersQuery,
  mailboxCountsQuery,
  mailboxQuery,
  mailboxSizesQuery,
  nextSpaceQuery,
  recordQuery,
  recordsQuery,
} from "../../adapters/sql/queries.ts";
import { toStatements } from "../../adapters/sql/statements.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import type { SqlStatement } from "../../src/ports/sql_driver.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** What is asked while a node serves; none may walk through a table. */
const queries: Readonly<Record<string, SqlStatement>> = {
  "a page of the mailbox": mailboxQuery(10, 20),
  "a page of one priority": mailboxQuery(10, 20, 1),
  "sizes of a page": mailboxSizesQuery(10, 20),
  "sizes of a page of one priority": mailboxSizesQuery(10, 20, 1),
  "counts of the mailbox": mailboxCountsQuery(),
  "a page of answers": answersQuery(10, 20),
  "a record": recordQuery("s", "k"),
  "a page of records": recordsQuery("s", "k", 20),
  "the next space": nextSpaceQuery("s"),
  "a dead letter": deadLetterQuery("d"),
  "the newest dead letters": deadLettersQuery(20, {}),
  "the next dead letters": deadLettersQuery(20, { after: "d" }),
  "dead letters of a category": deadLettersQuery(20, { category: "a" }),
  "dead letters of a trace": deadLettersQuery(20, { traceId: "t" }),
  "dead letters after a time": deadLettersQuery(20, { createdAfter: 5 }),
};

/** What writes; inserts have no plan. */
const writes = toStatements(
  new Effects([
    { kind: "mailbox.ack", seq: 5 },
    { kind: "mailbox.claim", seq: 6 },
    { kind: "mailbox.release", seq: 7, attempts: 1, notBefore: 2 },
    { kind: "deadLetter.delete", id: "d" },
    { kind: "deadLetter.redrive", id: "d", at: 1 },
    { kind: "deadLetter.expire", before: 5 },
    { kind: "answer.delete", seq: 8 },
    { kind: "answer.forget", through: 5 },
    { kind: "record.delete", space: "s", key: "k" },
  ]),
);

/** A walk through a whole table; one along an index or a list of ours is none, given that a page ends it. */
const tableScan = /^SCAN (mailbox|dead_letter|answer|record)( |$)(?!USING)/;

describe("query plans", () => {
  it("walk through no table", async () => {
    await using folder = await temporaryFolder();
    const url = `file:${join(folder.path, "node.db")}`;
    const options = { clock: systemClock(), random: new SeededRandom() };
    await (await openStore(url, options, new AbortController().signal)).close();
    const driver = await openDriver(url, {});
    const all = { ...queries, ...Object.fromEntries(writes.map((write) => [write.sql, write])) };
    for (const [title, { sql, args }] of Object.entries(all)) {
      const plan = await driver.all({ sql: `EXPLAIN QUERY PLAN ${sql}`, args });
      const steps = plan.map(({ detail }) => String(detail));
      assert.deepEqual(
        steps.filter((step) => tableScan.test(step)),
        [],
        `${title}: ${steps.join("; ")}`,
      );
      // A sort would read everything before the first row.
      const sorts = steps.filter((step) => step.includes("TEMP B-TREE"));
      assert.deepEqual(sorts, title.includes("of a trace") ? sorts : [], `${title} sorts`);
    }
    await driver.close();
  });
});
