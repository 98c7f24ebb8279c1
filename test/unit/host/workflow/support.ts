import type { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import type { AnyActor } from "../../../../src/actor.ts";
import type { WorkflowHistory } from "../../../../src/host/workflow/history.ts";
import type { WorkflowRun } from "../../../../src/host/workflow/workflow_run.ts";
import { Rig } from "../support.ts";

/** The workflow of an actor, which is woken if it sleeps. */
export async function workflowOf(rig: Rig, name: string, key: string): Promise<WorkflowRun> {
  const { workflow } = await rig.instance(name, key);
  if (workflow === undefined) throw new TypeError(`actor ${name} has no workflow`);
  return workflow;
}

export async function historyOf(rig: Rig, name: string, key: string): Promise<WorkflowHistory> {
  return (await workflowOf(rig, name, key)).history();
}

/** Names and states of the entries. */
export function states({ entries }: WorkflowHistory): string[] {
  return entries.map(({ location, state }) => `${locationText(location)} ${state}`);
}

function locationText(location: WorkflowHistory["entries"][number]["location"]): string {
  return location
    .map((each) => (typeof each === "string" ? each : `${each.loop}[${each.iteration}]`))
    .join("/");
}

/** Another process over the same store and time. */
export function again({ store, clock }: Rig, actors: Readonly<Record<string, AnyActor>>): Rig {
  return new Rig(actors, { store, clock: clock as FakeClock, seed: 2 });
}
