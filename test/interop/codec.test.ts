import assert from "node:assert/strict";
import { describe, it } from "node:test";
import protocol from "../vectors/protocol.json" with { type: "json" };
import { frame } from "./peer/direct.ts";
import { Assembly, fragment, fragments } from "./peer/fragments.ts";
import { idText, readClaims, readId, typeOf, writeCredential, writeId } from "./peer/identity.ts";
import { Fields } from "./peer/protobuf.ts";
import {
  Refused,
  type Registered,
  readRegisterResponse,
  registerRequest,
} from "./peer/registration.ts";
import { readChunk, readEnvelope, writeChunk, writeEnvelope } from "./peer/rpc.ts";
import { signalingUrl } from "./peer/signaling.ts";
import { type Signal, writeSignal } from "./peer/signals.ts";

const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");
const hex = (of: Uint8Array): string => Buffer.from(of).toString("hex");
const text = (of: string): Uint8Array => Buffer.from(of);

const id = { realm: 101, serial: 0x1a2b3cn, type: typeOf("acme:echo-service:1.0.0") };
const routeKey = "echo.EchoService.Echo";
const payload = bytes("0a026869");

// What is asserted here are the vectors of `spec/transport.md` §15 and `spec/protocol.md` §16: the scripted peer has to
// be right before it can say that a node is wrong.
describe("the scripted peer's own codec", () => {
  for (const known of protocol.ids) {
    it(`reads and writes the id ${known.string}`, () => {
      const read = readId(new Fields(bytes(known.actr_id_hex)));
      assert.equal(idText(read), known.string);
      assert.equal(hex(writeId(read).done()), known.actr_id_hex);
    });
  }

  it("asks to be registered, and reads the answers", () => {
    const request = registerRequest({ type: "acme:echo-service:1.0.0", realm: 101 });
    assert.equal(hex(request), protocol.register_request.hex);
    const refused = (): Registered =>
      readRegisterResponse(bytes(protocol.register_response_error.hex));
    assert.throws(refused, (error) => error instanceof Refused && error.code === 403);
    const registered = readRegisterResponse(bytes(protocol.register_response_ok.hex));
    assert.equal(idText(registered.id), idText(id));
    assert.equal(hex(registered.signingKey.bytes), protocol.credential.ed25519_public_key_hex);
    assert.deepEqual([registered.heartbeatSecs, registered.renewalToken?.length], [30, 32]);
  });

  it("reads a credential's claims, and connects to signaling with it", () => {
    const { credential: known } = protocol;
    const credential = {
      keyId: known.key_id,
      claims: bytes(known.claims_hex),
      signature: bytes(known.signature_hex),
    };
    const { actorId, expiresAt } = readClaims(credential);
    assert.deepEqual([actorId, expiresAt], [known.actor_id, known.expires_at]);
    assert.equal(hex(writeCredential(credential).done()), known.aid_credential_hex);
    const registered = readRegisterResponse(bytes(protocol.register_response_ok.hex));
    const url = signalingUrl("ws://host/signaling/ws", registered, false);
    assert.equal(url, `ws://host/signaling/ws?${known.signaling_query}`);
  });

  it("writes and reads envelopes and chunks", () => {
    const request = { routeKey, payload, direction: 1, requestId: "req-1", timeoutMs: 30_000 };
    const known =
      "0a156563686f2e4563686f536572766963652e4563686f12040a0268692001b206057265712d31c006b0ea01";
    assert.equal(hex(writeEnvelope(request)), known);
    const { error, traceparent, ...read } = readEnvelope(bytes(known));
    assert.deepEqual([error, traceparent], [undefined, undefined]);
    assert.deepEqual({ ...read, payload: undefined }, { ...request, payload: undefined });
    const failure = { code: 10_006, message: "Unknown route: x" };
    assert.equal(
      hex(
        writeEnvelope({ routeKey, error: failure, direction: 2, requestId: "req-1", timeoutMs: 0 }),
      ),
      "0a156563686f2e4563686f536572766963652e4563686f1a1508964e1210556e6b6e6f776e20726f7574653a20782002b206057265712d31c00600",
    );
    const chunk = { streamId: "s1", sequence: 7n, payload: bytes("010203") };
    const timestampMs = 1_700_000_000_000n;
    const stamped = "0a02733110071a030102032880d095ffbc31";
    assert.equal(hex(writeChunk(chunk)), "0a02733110071a03010203");
    assert.equal(hex(writeChunk({ ...chunk, timestampMs })), stamped);
    assert.equal(readChunk(bytes(stamped)).timestampMs, timestampMs);
  });

  it("writes what is relayed", () => {
    const known: [Signal, string][] = [
      [
        {
          kind: "candidate",
          candidate: "candidate:1 1 udp 2130706431 192.168.1.5 50123 typ host",
          sdpMLineIndex: 0,
          usernameFragment: "AbCdEfGh",
        },
        "0a3763616e6469646174653a312031207564702032313330373036343331203139322e3136382e312e352035303132332074797020686f7374180022084162436445664768",
      ],
      [
        { kind: "description", type: 0, sdp: "v=0\r\n", exchangeId: "x-1" },
        "08001205763d300d0a1a03782d31",
      ],
      [
        { kind: "description", type: 3, sdp: "v=0\r\n", exchangeId: "x-1" },
        "08031205763d300d0a1a03782d31",
      ],
      [{ kind: "assignment", isOfferer: true }, "0801"],
      [
        { kind: "restart_request", reason: "network_recovered" },
        "0a116e6574776f726b5f7265636f7665726564",
      ],
    ];
    for (const [signal, encoded] of known) assert.equal(hex(writeSignal(signal).done()), encoded);
  });

  it("frames and fragments", () => {
    assert.equal(hex(frame(0, text("hello world"))), "000000000b68656c6c6f20776f726c64");
    assert.equal(hex(fragment(42, 0, 1, text("hello"))), "0000002a0000000168656c6c6f");
    assert.equal(hex(fragment(0xdeadbeef, 3, 7, text(""))), "deadbeef00030007");
    for (const [length, count, last] of [
      [65_527, 1, 65_527],
      [65_528, 2, 1],
      [66_560, 2, 1_033],
      [102_400, 2, 36_873],
      [204_800, 4, 8_219],
      [524_288, 9, 72],
      [1_048_576, 17, 144],
    ] as const) {
      const parts = fragments(0, new Uint8Array(length));
      assert.deepEqual([parts.length, (parts.at(-1)?.length ?? 0) - 8], [count, last]);
      const assembly = new Assembly();
      const bodies = parts.reverse().map((part) => assembly.add(part));
      assert.equal(bodies.at(-1)?.length, length);
      assert.ok(bodies.slice(0, -1).every((body) => body === undefined));
    }
  });
});
