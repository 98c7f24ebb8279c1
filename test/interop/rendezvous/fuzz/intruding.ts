// Intruders in a process of their own: `intruding.ts PLAN` with a FuzzPlan as JSON. Tells a line of progress a second, then what came of it.
import process from "node:process";
import { SeededRandom } from "../../../../adapters/memory/seeded_random.ts";
import { typeOf } from "../../peer/identity.ts";
import { register } from "../../peer/registration.ts";
import { realm } from "../joining.ts";
import { Intruder, type Outcome, type Targets } from "./intruder.ts";

/** What intruders are to do. */
export interface FuzzPlan {
  readonly ais: string;
  readonly targets: Omit<Targets, "ids">;
  /** Text forms of whom they speak of. */
  readonly ids: readonly string[];
  readonly intruders: number;
  readonly messages: number;
  readonly seed: number;
}

/** What is told while they send, and with `done` at the end. */
export interface FuzzProgress extends Outcome {
  readonly done: boolean;
}

const plan: FuzzPlan = JSON.parse(process.argv[2] ?? "{}");
const ids = plan.ids.map((text) => {
  const [serial = "", realmId = "", type = ""] = text.split(/[@/]/);
  return { serial: BigInt(`0x${serial}`), realm: Number(realmId), type: typeOf(type) };
});
const each = Math.ceil(plan.messages / plan.intruders);
const intruders: Intruder[] = [];
for (let number = 0; number < plan.intruders; number += 1) {
  const registered = await register(plan.ais, { type: "acme:intruder:1.0.0", realm });
  const chance = new SeededRandom(plan.seed + number);
  intruders.push(new Intruder(registered, { ...plan.targets, ids }, chance));
}

function tell(done: boolean): void {
  const all: Outcome = { sent: 0, handled: 0, answers: 0, errors: 0, ends: {}, stolen: [] };
  for (const { outcome } of intruders) {
    all.sent += outcome.sent;
    all.handled += outcome.handled;
    all.answers += outcome.answers;
    all.errors += outcome.errors;
    for (const [code, count] of Object.entries(outcome.ends)) {
      all.ends[Number(code)] = (all.ends[Number(code)] ?? 0) + count;
    }
    all.stolen.push(...outcome.stolen);
  }
  console.log(JSON.stringify({ ...all, done } satisfies FuzzProgress));
}

const telling = setInterval(() => tell(false), 1_000);
await Promise.all(intruders.map((intruder) => intruder.send(each)));
clearInterval(telling);
tell(true);
