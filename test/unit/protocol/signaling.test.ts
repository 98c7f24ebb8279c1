import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { decodeCredential } from "../../../src/protocol/credential_codec.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { parseActrId, parseActrType } from "../../../src/protocol/ids.ts";
import {
  AclRule_Permission,
  AclSchema,
  decode,
  encode,
  IceCandidateSchema,
  IceRestartRequestSchema,
  RegisterAuthMode,
  RegisterRequestSchema,
  RegisterResponseSchema,
  RenewCredentialRequestSchema,
  RoleAssignmentSchema,
  ServiceAvailabilityState,
  SessionDescription_Type,
  SessionDescriptionSchema,
  type SignalingEnvelope,
  SignalingEnvelopeSchema,
} from "../../../src/protocol/schema.ts";
import {
  decodeSignaling,
  encodeSignaling,
  type SignalingInit,
} from "../../../src/protocol/signaling.ts";
import protocol from "../../vectors/protocol.json" with { type: "json" };
import { hex, refusal } from "./support.ts";

const id = toActrIdMessage(parseActrId("1a2b3c@101/acme:echo-service:1.0.0"));
const other = toActrIdMessage(parseActrId("3fffffffffffff@33554432/acme:echo-service:1.0.0"));
const credential = decodeCredential(hex(protocol.credential.aid_credential_hex));
const blank = { keyId: 0, claims: new Uint8Array(), signature: new Uint8Array() };

/** What the entries of `envelopes` say, where we would write them so. */
const envelopes: readonly (SignalingInit | undefined)[] = [
  {
    envelopeId: "env-1",
    flow: {
      case: "actrToServer",
      value: {
        source: id,
        credential,
        payload: {
          case: "ping",
          value: {
            availability: ServiceAvailabilityState.FULL,
            powerReserve: 5,
            mailboxBacklog: 0.25,
          },
        },
      },
    },
  },
  undefined,
  { envelopeId: "v2-envelope", flow: { case: undefined } },
  {
    envelopeId: "srv-1",
    replyFor: "env-1",
    flow: {
      case: "serverToActr",
      value: {
        target: id,
        payload: { case: "pong", value: { seq: 1_700_000_000n, suggestIntervalSecs: 30 } },
      },
    },
  },
  {
    envelopeId: "srv-2",
    replyFor: "env-1",
    flow: {
      case: "serverToActr",
      value: {
        target: id,
        payload: {
          case: "error",
          value: { code: 401, message: "Credential validation failed: Token has expired" },
        },
      },
    },
  },
  {
    envelopeId: "srv-3",
    flow: {
      case: "envelopeError",
      value: { code: 429, message: "Too many messages. Limit: 10 messages/second" },
    },
  },
  {
    envelopeId: "srv-4",
    flow: {
      case: "actrRelay",
      value: {
        source: id,
        credential: blank,
        target: other,
        payload: { case: "roleAssignment", value: { isOfferer: true } },
      },
    },
  },
  {
    envelopeId: "srv-5",
    flow: {
      case: "actrRelay",
      value: {
        source: id,
        credential: blank,
        target: other,
        payload: {
          case: "sessionDescription",
          value: {
            type: SessionDescription_Type.ANSWER,
            sdp: "answer-sdp",
            sdpExchangeId: "exchange-1",
          },
        },
      },
    },
  },
];

describe("signaling", () => {
  it("[V-protocol.envelopes] is written and read byte for byte", () => {
    assert.equal(protocol.envelopes.length, envelopes.length);
    for (const [i, vector] of protocol.envelopes.entries()) {
      const read = decodeSignaling(hex(vector.hex));
      const written = envelopes[i];
      if (written === undefined) continue;
      assert.equal(read.envelopeVersion, 2);
      assert.equal(toHex(encodeSignaling(written)), vector.hex, vector.what);
      assert.equal(toHex(encode(SignalingEnvelopeSchema, read)), vector.hex, vector.what);
    }
    const legacy = decodeSignaling(hex(String(protocol.envelopes[1]?.hex)));
    assert.equal(legacy.envelopeVersion, 1);
    assert.equal(legacy.envelopeId, "legacy-envelope");
    assert.equal(legacy.flow.case, undefined);
  });

  it("is written and read byte for byte (spec/transport.md §15)", () => {
    const candidate = {
      candidate: "candidate:1 1 udp 2130706431 192.168.1.5 50123 typ host",
      sdpMlineIndex: 0,
      usernameFragment: "AbCdEfGh",
    };
    assert.equal(
      toHex(encode(IceCandidateSchema, candidate)),
      "0a3763616e6469646174653a312031207564702032313330373036343331203139322e3136382e312e352035303132332074797020686f7374180022084162436445664768",
    );
    const offer = { sdp: "v=0\r\n", sdpExchangeId: "x-1" };
    const description = (type: SessionDescription_Type): string =>
      toHex(encode(SessionDescriptionSchema, { type, ...offer }));
    assert.equal(description(SessionDescription_Type.OFFER), "08001205763d300d0a1a03782d31");
    assert.equal(
      description(SessionDescription_Type.ICE_RESTART_OFFER),
      "08031205763d300d0a1a03782d31",
    );
    assert.equal(toHex(encode(RoleAssignmentSchema, { isOfferer: true })), "0801");
    const restart = encode(IceRestartRequestSchema, { reason: "network_recovered" });
    assert.equal(toHex(restart), "0a116e6574776f726b5f7265636f7665726564");
  });

  it("demands an envelope id, and ids of those it names", () => {
    refusal("decode_failure", () => decodeSignaling(hex("0802")));
    refusal("decode_failure", () => decodeSignaling(hex("ff")));
    for (const flow of ["5a00", "6200", "6a00", "62020a00", "6a040a001a00"]) {
      refusal("decode_failure", () => decodeSignaling(hex(`0802120178${flow}`)));
    }
    const source = "0a250a02086510bcd6681a1b0a0461636d65120c6563686f2d736572766963651a05312e302e30";
    const request = `08021201785a27${source}`;
    const error = refusal("decode_failure", () => decodeSignaling(hex(request)));
    assert.match(error.message, /credential/);
    const ping = hex(String(protocol.envelopes[0]?.hex));
    const read: SignalingEnvelope = decodeSignaling(ping);
    assert.ok(read.flow.case === "actrToServer");
    assert.deepEqual(fromActrIdMessage(read.flow.value.source), fromActrIdMessage(id));
  });

  it("accepts relays without credential, as servers send them", () => {
    const relay = `0a250a02086510bcd6681a1b0a0461636d65120c6563686f2d736572766963651a05312e302e30`;
    const flow = `${relay}1a${relay.slice(2)}6a020801`;
    const bytes = hex(`08021201786a${(flow.length / 2).toString(16)}${flow}`);
    assert.equal(decodeSignaling(bytes).flow.case, "actrRelay");
  });

  it("refuses to write without the required", () => {
    refusal("invalid_argument", () =>
      encodeSignaling({ envelopeId: "e", flow: { case: "serverToActr", value: {} } }),
    );
  });
});

describe("registration", () => {
  const type = parseActrType("acme:echo-service:1.0.0");

  it("[V-protocol.register_request] is written byte for byte", () => {
    const bytes = encode(RegisterRequestSchema, {
      actrType: type,
      realm: { realmId: 101 },
      authMode: RegisterAuthMode.LINKED,
    });
    assert.equal(toHex(bytes), protocol.register_request.hex);
  });

  it("[V-protocol.register_response_ok] is written and read byte for byte", () => {
    const { expires_at } = protocol.credential;
    const [turn] = protocol.turn;
    const bytes = encode(RegisterResponseSchema, {
      result: {
        case: "success",
        value: {
          actrId: id,
          credential,
          turnCredential: {
            username: String(turn?.username),
            password: String(turn?.password),
            expiresAt: BigInt(expires_at),
          },
          credentialExpiresAt: { seconds: BigInt(expires_at), nanos: 0 },
          signalingHeartbeatIntervalSecs: 30,
          signingPubkey: hex(protocol.credential.ed25519_public_key_hex),
          signingKeyId: 1,
          renewalToken: new Uint8Array(32).fill(0x11),
          renewalTokenExpiresAt: { seconds: 1_900_082_800n },
        },
      },
    });
    assert.equal(toHex(bytes), protocol.register_response_ok.hex);
    const { result } = decode(RegisterResponseSchema, bytes);
    assert.ok(result.case === "success");
    assert.deepEqual(fromActrIdMessage(result.value.actrId), fromActrIdMessage(id));
  });

  it("[V-protocol.register_response_error] is written and read byte for byte", () => {
    const error = { code: 403, message: "Realm secret required" };
    const bytes = encode(RegisterResponseSchema, { result: { case: "error", value: error } });
    assert.equal(toHex(bytes), protocol.register_response_error.hex);
    const { result } = decode(RegisterResponseSchema, hex(protocol.register_response_error.hex));
    assert.ok(result.case === "error");
    assert.equal(result.value.message, error.message);
  });

  it("[V-protocol.renew_request] is written byte for byte", () => {
    const renewalToken = new Uint8Array(32).fill(0x11);
    const bytes = encode(RenewCredentialRequestSchema, { actrId: id, renewalToken });
    assert.equal(toHex(bytes), protocol.renew_request.hex);
  });

  it("[V-protocol.acl] is written byte for byte", () => {
    const fromType = parseActrType("acme:client:0.1.0");
    const bytes = encode(AclSchema, {
      rules: [
        {
          permission: AclRule_Permission.ALLOW,
          fromType,
          sourceRealm: { case: "realmId", value: 1_001 },
        },
        {
          permission: AclRule_Permission.DENY,
          fromType,
          sourceRealm: { case: "anyRealm", value: true },
        },
      ],
    });
    assert.equal(toHex(bytes), protocol.acl.hex);
  });
});
