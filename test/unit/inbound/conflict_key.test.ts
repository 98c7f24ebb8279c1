import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConflictKey, type MethodOptions, service } from "../../../src/define.ts";
import type { KeyOf } from "../../../src/inbound/conflict_key.ts";
import { serviceRoutes } from "../../../src/inbound/service_routes.ts";
import { methodCodecs } from "../../../src/protocol/service.ts";
import { KeyService, type Visit } from "../../fixtures/keys_pb.ts";

const handlers = { enter: () => ({}), leave: () => ({}), speak: () => ({}), close: () => ({}) };
const visit = methodCodecs(KeyService)[0] ?? assert.fail();

/** A service whose methods have these keys. */
function keyed(enter?: ConflictKey<Visit>, leave?: ConflictKey<Visit>) {
  const options = (conflictKey?: ConflictKey<Visit>): MethodOptions<Visit> =>
    conflictKey === undefined ? {} : { conflictKey };
  return service(KeyService, {
    handlers,
    methods: { enter: options(enter), leave: options(leave) },
  });
}

/** How the keys of `enter` and `leave` are read. */
function readers(...keys: Parameters<typeof keyed>): (KeyOf | undefined)[] {
  const routes = serviceRoutes([keyed(...keys)]);
  return ["Enter", "Leave"].map((name) => routes.get(`keys.KeyService.${name}`)?.keyOf);
}

describe("conflict key", () => {
  it("[N-116] methods of one domain share a key; by default they do not", () => {
    const payload = visit.encodeRequest({ room: "a", name: "x" });
    const shared = readers({ field: "room", domain: "d" }, { field: "name", domain: "d" });
    const same = visit.encodeRequest({ room: "x", name: "a" });
    assert.equal(shared[0]?.(payload, ""), shared[1]?.(same, ""));
    assert.notEqual(shared[0]?.(payload, ""), shared[1]?.(payload, ""));
    const apart = readers({ field: "room" }, { field: "room" });
    assert.notEqual(apart[0]?.(payload, ""), undefined);
    assert.notEqual(apart[0]?.(payload, ""), apart[1]?.(payload, ""));
  });

  it("[N-117] the caller's id can be the key", () => {
    const [keyOf] = readers({ sender: true });
    const payload = new Uint8Array(0);
    assert.equal(keyOf?.(payload, "1"), keyOf?.(payload, "1"));
    assert.notEqual(keyOf?.(payload, "1"), keyOf?.(payload, "2"));
  });

  it("[N-115] a method that declares none has none", () => {
    assert.deepEqual(readers(), [undefined, undefined]);
  });

  it("[N-118] the same route twice is an error when the node is made", () => {
    assert.throws(() => serviceRoutes([keyed({ field: "room" }), keyed({ sender: true })]), {
      code: "config",
      message: "route keys.KeyService.Enter is served twice; serve it once",
    });
  });

  it("a field that the request does not have, named past the compiler, is an error when the node is made", () => {
    const wrong = { field: "rooom" } as unknown as ConflictKey<Visit>;
    assert.throws(() => readers(wrong), {
      code: "config",
      message: /^conflictKey of keys\.KeyService\.Enter is the field rooom; use a whole number/,
    });
  });
});
