import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runningModule } from "../../../adapters/running.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import protocol from "../../vectors/protocol.json" with { type: "json" };
import { typeOf, writeType } from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";
import { Actrix } from "./actrix.ts";
import { issueFor, writeIssue, writeRefusal } from "./issuing.ts";
import type { Answer } from "./listener.ts";
import { atHome, type Home, place, type } from "./node.ts";

const limit = { timeout: 180_000 };
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** Starts a node at a server that answers so, and returns why it did not start. */
async function refusedBy(answer: Answer): Promise<{ error: ActrError; posts: number }> {
  await using actrix = await Actrix.start();
  actrix.register = () => answer;
  const { serve } = await runningModule();
  const starting = serve(defineNode({ type }), { ...place, identity: actrix.ais });
  const error = await starting.then(
    () => assert.fail("the node has started"),
    (reason: unknown) => ActrError.from(reason),
  );
  return { error, posts: actrix.posts.length };
}

/** The rules that a node registered with: permission, type, realm. */
function rulesIn({ actrix }: Home): string[] {
  const request = new Fields(actrix.posts[0]?.body ?? new Uint8Array(0));
  const rules = request.message(4)?.all(1) ?? [];
  return rules.map((bytes) => {
    const rule = new Fields(bytes);
    const type = [1, 2, 3].map((part) => rule.message(2)?.text(part)).join(":");
    return `${rule.number(1)} ${type} ${rule.has(3) ? "any" : rule.number(4)}`;
  });
}

// One test for each thing that a real actrix demands of a node at registration, or does to it (`spec/protocol.md` §6, §13).
describe("our node registers at a real actrix", limit, () => {
  it("by one POST of protobuf below the configured address, whose slashes at the end do not matter", async () => {
    const slashes = (actrix: Actrix) => ({ identity: `${actrix.ais}//` });
    await using home = await atHome(() => {}, {}, slashes);
    const { posts } = home.actrix;
    const [post] = posts;
    assert.deepEqual([posts.length, post?.method, post?.target], [1, "POST", "/ais/register"]);
    const headers = ["content-type", "accept"].map((name) => post?.headers.get(name));
    assert.deepEqual(headers, ["application/x-protobuf", "application/x-protobuf"]);
    assert.equal(post?.headers.has("x-actrix-realm-secret"), false);
  });

  it("with the realm's secret as a header", async () => {
    await using home = await atHome(
      () => {},
      {},
      () => ({ realmSecret: "rs_test123" }),
    );
    assert.equal(home.actrix.posts[0]?.headers.get("x-actrix-realm-secret"), "rs_test123");
  });

  it("as linked, with type and realm alone where it only calls, byte for byte", async () => {
    await using actrix = await Actrix.start();
    const { connect } = await runningModule();
    await using peer = await connect(actrix.ais, { type, realm: 101, log: place.log });
    assert.ok(peer.id);
    assert.equal(hex(actrix.posts[0]?.body), protocol.register_request.hex);
  });

  it("with its address and rules where it has them, and nothing of packages or proofs", async () => {
    const acl = [{ permission: "allow", type: "acme:client:1.0.0" }] as const;
    await using home = await atHome(() => {}, { acl });
    const request = new Fields(home.actrix.posts[0]?.body ?? new Uint8Array(0));
    assert.deepEqual([...request.numbers].sort(), [1, 14, 2, 4, 6].sort());
    assert.equal(request.number(14), 2);
    assert.match(request.text(6) ?? "", /^ws:\/\/127\.0\.0\.1:\d+\/ws$/);
    const rule = request.message(4)?.message(1);
    assert.deepEqual([rule?.number(1), rule?.number(4)], [1, 101], "allowed in the own realm");
    assert.equal(hex(rule?.bytes(2)), hex(writeType(typeOf("acme:client:1.0.0")).done()));
  });

  it("with rules as a real server reads them: the last that matches wins, and any realm is none", async () => {
    const acl = [
      { permission: "deny", type: "acme:bad:1.0.0" },
      { permission: "allow", type: "acme:client:1.0.0", realm: "*" },
      { permission: "allow", type: "acme:bad:1.0.0", realm: 7 },
    ] as const;
    await using home = await atHome(() => {}, { acl });
    assert.deepEqual(rulesIn(home), [
      "1 acme:client:1.0.0 any",
      "1 acme:client:1.0.0 101",
      "1 acme:bad:1.0.0 7",
      "0 acme:bad:1.0.0 101",
    ]);
  });

  it("letting in what it depends on, without which a real server hands it no answer of theirs", async () => {
    const dependencies = [{ type: "acme:shop:1.0.0", fingerprint: "service_semantic:00" }];
    await using caller = await atHome(() => {}, { dependencies });
    assert.deepEqual(rulesIn(caller), ["1 acme:shop:1.0.0 101"]);
    const acl = [{ permission: "allow", type: "acme:client:1.0.0" }] as const;
    await using both = await atHome(() => {}, { dependencies, acl });
    assert.deepEqual(rulesIn(both), ["1 acme:client:1.0.0 101", "1 acme:shop:1.0.0 101"]);
  });

  it("from answers of any content type, with fields that it does not know and those of old versions", async () => {
    await using home = await atHome((actrix) => {
      actrix.register = ({ body }) => ({
        status: 200,
        headers: { "content-type": "text/odd" },
        body: Buffer.concat([
          writeIssue(issueFor(actrix.admit(body)), (ok) =>
            ok
              .bytes(10, new Uint8Array(32))
              .varint(11, 7)
              .text(99, "new")
              .varint(100, 1n << 60n),
          ),
          new Writer().text(77, "beside the result").done(),
        ]),
      });
    });
    assert.equal(home.node.id.serial, 0x1a2b3cn);
  });

  it("without TURN credential, expiries, renewal token and interval, and with serials of 64 bits", async () => {
    await using home = await atHome((actrix) => {
      actrix.serial = 0xffff_ffff_ffff_ffffn;
      actrix.register = ({ body }) => {
        const { id, credential } = issueFor(actrix.admit(body));
        return { status: 200, body: writeIssue({ id, credential, heartbeatSecs: 0 }) };
      };
    });
    assert.equal(home.node.id.serial, 0xffff_ffff_ffff_ffffn);
    assert.match(home.session.query.get("actor_id") ?? "", /^ffffffffffffffff@101\/acme:/);
    await home.session.ping();
  });

  it("and tells of a refusal inside an answer by its code and words, without trying again", async () => {
    const body = writeRefusal(403, "Realm secret required");
    const { error, posts } = await refusedBy({ status: 200, body });
    assert.deepEqual([error.code, error.details?.["code"], posts], ["registration", 403, 1]);
    assert.match(error.message, /Realm secret required/);
  });

  it("and tells of a refusal by status, whatever its body, and how long to wait", async () => {
    const body = new TextEncoder().encode("Too Many Requests! Wait for 7s");
    const late = await refusedBy({ status: 429, headers: { "retry-after": "7" }, body });
    assert.deepEqual([late.error.code, late.error.details?.["status"]], ["registration", 429]);
    assert.deepEqual([late.error.retryAfterMs, late.posts], [7_000, 1]);
    const broken = await refusedBy({ status: 503, body: writeRefusal(1, "unread") });
    assert.deepEqual(
      [broken.error.details?.["failure"], broken.error.details?.["status"]],
      ["Retryable", 503],
    );
  });

  it("and starts with nothing from answers that are none", async () => {
    for (const body of [new Uint8Array(0), new Uint8Array([255, 255]), writeRefusal(0, "")]) {
      assert.equal((await refusedBy({ status: 200, body })).error.code, "registration");
    }
  });
});
