import assert from "node:assert/strict";
import type { LogLine } from "../support.ts";

/** Where an instance may go, from `spec/actor-host.md` §3.2 with the better behaviours D10 and D16. */
const ways: Readonly<Record<string, readonly string[]>> = {
  loading: ["starting", "terminated"],
  starting: ["started", "terminated"],
  started: ["sleep_grace", "destroy_grace", "terminated"],
  sleep_grace: ["sleep_finalize", "destroy_grace", "terminated"],
  sleep_finalize: ["terminated"],
  destroy_grace: ["destroying", "terminated"],
  destroying: ["terminated"],
  terminated: [],
};

/** Fails unless the instances that a process logged lived as they may, one of each actor at a time. */
export function checkLifecycles(lines: readonly LogLine[]): void {
  const states = new Map<unknown, string>();
  for (const { event, attributes } of lines) {
    if (event !== "actor.lifecycle") continue;
    const { actor_id: id, old, new: next } = attributes as Record<string, string>;
    const was = states.get(id) ?? "terminated";
    const begins = was === "terminated" && old === "loading";
    assert.ok(begins || was === old, `${id} was ${was}, and goes from ${old} to ${next}`);
    assert.ok(ways[old ?? ""]?.includes(next ?? ""), `${id} went from ${old} to ${next}`);
    states.set(id, next ?? "");
  }
}

/** Fails if something went wrong that nobody meant to. */
export function checkErrors(lines: readonly LogLine[]): void {
  for (const { event, attributes } of lines) {
    const error = attributes["error"];
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    assert.notEqual(code, "internal", `${event}: ${error}`);
  }
}
