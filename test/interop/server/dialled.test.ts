import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, it } from "node:test";
import { dialHeaders } from "../peer/direct.ts";
import { type ActrId, type Credential, idText, typeOf } from "../peer/identity.ts";
import { Writer } from "../peer/protobuf.ts";
import type { WebSocketEnd } from "../peer/websocket.ts";
import { dial, UpgradeRefused } from "../peer/websocket_handshake.ts";
import { answers, requests } from "../rendezvous/envelope.ts";
import { atHome, type Home } from "./node.ts";

const id: ActrId = { realm: 101, serial: 7n, type: typeOf("acme:shop:1.0.0") };
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
/** The last 32 bytes of its DER form. */
const rawKey = publicKey.export({ format: "der", type: "spki" }).subarray(-32);

/** A credential that the key of these tests has signed. */
function signed(keyId: number): Credential {
  const expiresAt = Math.floor(Date.now() / 1_000) + 3_600;
  const claims = new Writer().varint(1, id.realm).text(2, idText(id)).varint(3, expiresAt).done();
  return { keyId, claims, signature: sign(null, claims, privateKey) };
}

/** A peer dials the node. @throws UpgradeRefused. */
function dialling({ node }: Home, keyId: number): Promise<WebSocketEnd> {
  const url = `${node.url.replace("http", "ws")}/ws`;
  return dial(url, dialHeaders({ id, credential: signed(keyId) }));
}

async function refusal(dialled: Promise<WebSocketEnd>): Promise<number> {
  const error = await dialled.then(() => undefined).catch((reason: unknown) => reason);
  assert.ok(error instanceof UpgradeRefused, String(error));
  return error.status;
}

const keysAsked = ({ session }: Home): number =>
  session.asked.filter(({ kind }) => kind === requests.signingKey).length;

// What a node asks a real actrix when a peer comes whose key it has not seen (`spec/protocol.md` §4.2, §7).
describe("our node is dialled by a peer whose key it does not know", { timeout: 180_000 }, () => {
  const keyOf = (keyId: number): Writer => new Writer().varint(1, keyId).bytes(2, rawKey);

  it("asks its server for that key, lets the peer in, and asks once for all who come", async () => {
    await using home = await atHome();
    const { session } = home;
    const both = [dialling(home, 9), dialling(home, 9)];
    const asked = await session.request(requests.signingKey);
    assert.deepEqual([asked.body.numbers, asked.body.number(1)], [[1], 9]);
    session.answer(asked, answers.signingKey, keyOf(9));
    const sockets = await Promise.all([...both, dialling(home, 9)]);
    assert.equal(keysAsked(home), 1);
    for (const socket of sockets) socket.close();
  });

  it("refuses the peer when the server does not know the key either, and remembers that", async () => {
    await using home = await atHome();
    const { session } = home;
    const dialled = refusal(dialling(home, 9));
    session.refuse(await session.request(requests.signingKey), 404, "Signing key 9 not found");
    assert.equal(await dialled, 401);
    assert.equal(await refusal(dialling(home, 9)), 401);
    assert.equal(keysAsked(home), 1);
  });

  it("refuses the peer whom the key that it is told does not prove, and takes no key under another id", async () => {
    await using home = await atHome();
    const { session } = home;
    for (const answer of [
      new Writer().varint(1, 9).bytes(2, new Uint8Array(32).fill(9)),
      keyOf(99),
      new Writer().varint(1, 11).bytes(2, rawKey.subarray(1)),
    ]) {
      const keyId = 9 + keysAsked(home);
      const dialled = refusal(dialling(home, keyId));
      session.answer(await session.request(requests.signingKey), answers.signingKey, answer);
      assert.equal(await dialled, 401, `key ${keyId}`);
    }
  });
});
