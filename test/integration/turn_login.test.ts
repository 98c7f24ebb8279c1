/** That the logins which a rendezvous hands out are worth something at a real TURN server, with the same secret. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { fromActrIdMessage } from "../../src/protocol/id_messages.ts";
import { formatActrId } from "../../src/protocol/ids.ts";
import { turnCredential } from "../../src/protocol/turn.ts";
import { type Coturn, startCoturn } from "../fixtures/network/coturn.ts";
import { freePort } from "../fixtures/ports.ts";
import { allocate, type TurnLogin } from "../fixtures/turn_client.ts";
import { until } from "../fixtures/until.ts";
import { type Registered, register, renew } from "./rendezvous_client.ts";
import { Running } from "./rendezvous_server.ts";

const missing = spawnSync("turnserver", ["--version"]).error !== undefined;
const skip = missing && "coturn is not installed: apt-get install coturn";
const turnSecret = "known to the rendezvous and to coturn";
const granted = { error: 0, relayed: true };
const refused = { error: 401, relayed: false };

function loginOf({ turnCredential: login }: Registered): TurnLogin {
  assert.ok(login);
  return login;
}

describe("a TURN login", { skip }, () => {
  let coturn: Coturn;
  let server: Running;
  let port: number;

  before(async () => {
    port = await freePort();
    const here = { within: ["env"] };
    coturn = await startCoturn(here, turnSecret, { address: "127.0.0.1", port });
    server = await Running.start(new MemoryStore(), { turnSecret });
  });

  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await coturn?.[Symbol.asyncDispose]();
  });

  it("of a registration is good for a relay, under the name of the node", async () => {
    const registered = await register(server.base, "acme:Echo-Ünicode.x:1.0.0");
    assert.deepEqual(await allocate(port, loginOf(registered)), granted);
    const id = formatActrId(fromActrIdMessage(registered.actrId));
    const known = (): boolean => coturn.log.includes(`username=<${loginOf(registered).username}>`);
    await until("coturn has logged it", known, 30_000);
    assert.ok(loginOf(registered).username.endsWith(`:${id}`));
  });

  it("of a renewal is good for a relay", async () => {
    const first = await register(server.base, "acme:echo:1.0.0");
    const { result } = await renew(
      server.base,
      fromActrIdMessage(first.actrId),
      first.renewalToken,
    );
    assert.equal(result.case, "success");
    assert.deepEqual(await allocate(port, loginOf(result.value)), granted);
  });

  it("is refused once it has ended, and for another node than the one that it was made for", async () => {
    const { username, password } = loginOf(await register(server.base, "acme:echo:1.0.0"));
    const [expiry = "", id = ""] = username.split(/:(.*)/s);
    const ended = await turnCredential(turnSecret, id, Math.floor(Date.now() / 1000) - 60);
    assert.deepEqual(await allocate(port, ended), refused);
    const later = { username: `${Number(expiry) + 3600}:${id}`, password };
    assert.deepEqual(await allocate(port, later), refused);
    assert.deepEqual(await allocate(port, { username, password: `${password}x` }), refused);
  });

  it("of a rendezvous with another secret is refused", async () => {
    await using other = await Running.start(new MemoryStore());
    const login = loginOf(await register(other.base, "acme:echo:1.0.0"));
    assert.deepEqual(await allocate(port, login), refused);
  });
});
