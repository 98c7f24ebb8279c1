import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../../adapters/memory/seeded_random.ts";
import { register } from "../../peer/registration.ts";
import { realm } from "../joining.ts";
import { Server } from "../server.ts";
import { HealthyPair } from "./healthy_pair.ts";
import { Intruder } from "./intruder.ts";

const [intruders, messages, seed] = [3, 1_000, 20_261_121];
const types = { healthy: "acme:healthy:1.0.0", intruder: "acme:intruder:1.0.0" };

// The long form, with times, is `npm run fuzz:rendezvous`.
describe("mutated messages", () => {
  it("neither end the server nor reach others but as relays of who sent them", async () => {
    // The healthy nodes make no pause here.
    await using server = await Server.start({ options: { limits: { messageBurst: 1_000_000 } } });
    const { ais, signaling } = server;
    await using pair = await HealthyPair.start(ais, signaling, types.healthy);
    const targets = {
      ...{ signaling, type: types.healthy, secret: pair.secret },
      ids: [pair.one.id, pair.other.id],
    };
    let under = intruders;
    const sending = Array.from({ length: intruders }, async (_, number) => {
      const registered = await register(ais, { type: types.intruder, realm });
      const intruder = new Intruder(registered, targets, new SeededRandom(seed + number));
      const outcome = await intruder.send(messages).finally(() => {
        under -= 1;
      });
      assert.deepEqual(outcome.stolen, []);
      assert.ok(outcome.errors > 0 && (outcome.ends[1007] ?? 0) > 0, JSON.stringify(outcome));
    });
    while (under > 0) await pair.round();
    await Promise.all(sending);
    await pair.round();
    assert.deepEqual(pair.complaints, []);
    assert.ok(pair.disturbed > 0, "no mutated relay came through");
  });
});
