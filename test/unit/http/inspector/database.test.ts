import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "@roost/edge/testing";
import { actor } from "../../../../src/actor.ts";
import { defineNode } from "../../../../src/define.ts";
import { ActrError } from "../../../../src/errors.ts";
import { positional, readOnly } from "../../../../src/host/inspection/inspection_database.ts";
import { InspectorClient } from "./inspector_client.ts";
import { ask, get, inspectToken, sends } from "./support.ts";

const shop = actor({
  actions: { buy: (c, what: string) => c.sql.run("INSERT INTO items (what) VALUES (?)", what) },
  sql: { migrations: [['CREATE TABLE items (id INTEGER PRIMARY KEY, what TEXT, "a""b" BLOB)']] },
});
const plain = actor({ actions: { ping: () => "pong" } });

async function open(): Promise<{ t: TestNode; id: string; path: string }> {
  const t = await testNode(defineNode({ actors: { shop, plain } }), { inspectToken });
  for (const what of ["tea", "milk"]) await t.actors.shop.get("a").buy(what);
  const id = await t.actors.shop.get("a").resolve();
  return { t: t as unknown as TestNode, id, path: `/actors/${id}` };
}

interface Schema {
  readonly schema: {
    readonly tables: readonly {
      readonly table: { readonly name: string };
      readonly records: number;
      readonly columns: readonly { readonly name: string }[];
    }[];
  };
}

describe("the database of an actor, inspected", () => {
  it("shows tables, rows and what a statement answers, after a sleep too", async () => {
    const { t, path } = await open();
    await t.clock.advance(60_000);
    const { schema } = await get<Schema>(t, `${path}/database/schema`);
    const items = schema.tables.find(({ table }) => table.name === "items");
    assert.deepEqual(
      [items?.records, items?.columns.map(({ name }) => name)],
      [2, ["id", "what", 'a"b']],
    );
    const rows = await get(t, `${path}/database/rows?table=items&limit=1&offset=1`);
    assert.deepEqual(rows, { rows: [{ id: 2, what: "milk", 'a"b': null }] });
    const execute = (body: object): Promise<Response> =>
      ask(t, `${path}/database/execute`, sends("POST", body));
    const blob = ["$Uint8Array", "AQI="];
    const sql = 'UPDATE items SET "a""b" = ? WHERE id = ? RETURNING *';
    assert.deepEqual(await (await execute({ sql, args: [blob, 1] })).json(), {
      rows: [{ id: 1, what: "tea", 'a"b': blob }],
      truncated: false,
    });
    const named = { sql: "SELECT id FROM items WHERE what = :what", properties: { what: "milk" } };
    assert.deepEqual((await (await execute(named)).json()).rows, [{ id: 2 }]);
    const many =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 600) SELECT i FROM n";
    const { rows: shown, truncated } = await (await execute({ sql: many })).json();
    assert.deepEqual([shown.length, truncated], [500, true]);
    for (const wrong of [
      { sql: " " },
      { sql: "SELECT ?", args: [1], properties: { a: 1 } },
      { sql: "SELECT :a", properties: {} },
      { sql: "SELECT 1", args: 1 },
      { sql: "NOT SQL" },
    ]) {
      assert.equal((await execute(wrong)).status, 400, wrong.sql);
    }
    for (const query of ["", "?table=", "?table=none", "?table=items&limit=501"]) {
      assert.equal((await ask(t, `${path}/database/rows${query}`)).status, 400, query);
    }
    const injected = encodeURIComponent('items"; DROP TABLE items; --');
    assert.equal((await ask(t, `${path}/database/rows?table=${injected}`)).status, 400);
    assert.deepEqual(
      (await (await execute({ sql: "SELECT count(*) AS n FROM items" })).json()).rows,
      [{ n: 2 }],
    );
    await t[Symbol.asyncDispose]();
  });

  it("is asked without being changed, for as much as an answer takes", async () => {
    const { t, path } = await open();
    const query = (body: object): Promise<Response> =>
      ask(t, `${path}/database/query`, sends("POST", body));
    for (const sql of [
      "SELECT what FROM items WHERE id = ?",
      "SELECT what FROM items WHERE id = ? -- no more\n;\n",
      "SELECT what FROM items WHERE id = ? ; ;",
      "WITH all_of AS (SELECT * FROM items) SELECT what FROM all_of WHERE id = ?",
    ]) {
      const answer = await (await query({ sql, args: [2] })).json();
      assert.deepEqual(answer, { rows: [{ what: "milk" }], truncated: false }, sql);
    }
    for (const sql of [
      "DELETE FROM items",
      "INSERT INTO items (what) VALUES ('x') RETURNING id",
      "WITH x AS (SELECT 1) DELETE FROM items",
      "PRAGMA user_version = 1",
      "SELECT 1); DELETE FROM items; --",
      "1); DELETE FROM items; SELECT (1",
      "ATTACH ':memory:' AS x",
      `SELECT '${"x".repeat(100_000)}'`,
    ]) {
      const { status } = await query({ sql });
      const { rows: left } = await (await query({ sql: "SELECT count(*) AS n FROM items" })).json();
      assert.deepEqual(left, [{ n: 2 }], sql);
      if (!sql.startsWith("SELECT 1)")) assert.equal(status, 400, sql);
    }
    const many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    const { rows, truncated } = await (await query({ sql: many })).json();
    assert.deepEqual([rows.length, truncated], [500, true]);
    const long = "SELECT hex(zeroblob(150000)) AS v FROM (VALUES (1), (2), (3), (4), (5))";
    const { rows: few, truncated: cut } = await (await query({ sql: long })).json();
    assert.deepEqual([few.length, cut], [3, true]);
    assert.equal((await ask(t, `${path}/database/query`, { method: "POST" })).status, 400);
    await t[Symbol.asyncDispose]();
  });

  it("is asked at once, however long a statement is", () => {
    const before = process.cpuUsage();
    assert.match(readOnly(`SELECT${" ".repeat(90_000)}1`), /1\n\) LIMIT 501$/);
    for (const open of ["[", "/* "]) {
      assert.deepEqual(positional(open.repeat(90_000), {}).args, []);
    }
    const { user } = process.cpuUsage(before);
    assert.ok(user < 1_000_000, `${user} µs`);
  });

  it("is asked for on the WebSocket, and refused where there is none", async () => {
    const { t, id } = await open();
    const client = await InspectorClient.open(t, id);
    assert.equal(client.tagged("Init")[0]?.["isDatabaseEnabled"], true);
    client.send("DatabaseSchemaRequest", { id: 1 });
    client.send("DatabaseTableRowsRequest", { id: 2, table: "items", limit: 9_000, offset: 0 });
    await t.clock.settle();
    const [schema] = client.tagged("DatabaseSchemaResponse") as unknown as Schema[];
    assert.ok(schema?.schema.tables.some(({ table }) => table.name === "items"));
    const [rows] = client.tagged("DatabaseTableRowsResponse");
    assert.equal((rows?.["result"] as unknown[] | undefined)?.length, 2);
    const target = { name: "plain", key: ["x"], create: { input: undefined } };
    const none = await t.node.actors?.wake(target);
    assert.equal((await ask(t, `/actors/${none?.id}/database/schema`)).status, 400);
    await t[Symbol.asyncDispose]();
  });

  it("takes parameters by name for those of a statement alone", () => {
    const sql = `SELECT ':a', ":b", [$c], \`@d\` -- :e\n /* :f */ FROM t WHERE x = :x AND y = @y AND z = $x`;
    const { sql: text, args } = positional(sql, { x: 1, y: "two" });
    assert.equal(
      text,
      `SELECT ':a', ":b", [$c], \`@d\` -- :e\n /* :f */ FROM t WHERE x = ? AND y = ? AND z = ?`,
    );
    assert.deepEqual(args, [1, "two", 1]);
    assert.throws(
      () => positional("SELECT :toString", {}),
      (error: unknown) => ActrError.from(error).code === "actor.invalid_request",
    );
  });
});
