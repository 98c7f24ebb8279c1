import { systemClock } from "../../../adapters/system_clock.ts";
import { ActrError } from "../../errors.ts";
import { type KeptLetter, maxRedriveBatch } from "../../inbound/redriver.ts";
import type { Inspector, Progress } from "../../inspector/inspector.ts";
import type { Selection } from "../../inspector/selection.ts";
import type { Input, World } from "../command.ts";
import { oneLine } from "../failure.ts";
import { parseAge } from "../inspect/ages.ts";
import { Misuse } from "../misuse.ts";
import { progress } from "../progress.ts";
import type { DlqWork } from "./dlq_look.ts";

/** How long a node may be too busy before we give up, and the pause between two tries, milliseconds. */
const patienceMs = 30_000;
const pauseMs = 200;

/** Letters named one by one to people. */
const maxLinesShown = 20;

/** What all batches together did. */
interface Tally {
  /** Letters redriven or purged. */
  done: number;
  readonly kept: KeptLetter[];
  readonly missing: string[];
}

/** What one batch did. */
interface BatchResult extends Progress {
  readonly done: number;
  readonly kept: readonly KeptLetter[];
  readonly missing: readonly string[];
}

/** `roost dlq redrive`: back into the mailbox, to be handled anew. */
export function redriveLetters(ids: readonly string[], input: Input, world: World): DlqWork {
  return operation(
    "redriven",
    selectionsOf(ids, input),
    input,
    world,
    async (inspector, chosen) => {
      const { redriven, ...rest } = await inspector.redrive(chosen);
      return { done: redriven, ...rest };
    },
  );
}

/** `roost dlq purge`: deletes for good. */
export function purgeLetters(ids: readonly string[], input: Input, world: World): DlqWork {
  return operation("purged", selectionsOf(ids, input), input, world, async (inspector, chosen) => {
    const { purged, ...rest } = await inspector.purge(chosen);
    return { done: purged, kept: [], ...rest };
  });
}

/** Batch after batch, telling how far it is. Exit code 1 when a letter was not there, or stays one. */
function operation(
  verb: "redriven" | "purged",
  selections: readonly Selection[],
  input: Input,
  world: World,
  batch: (inspector: Inspector, selection: Selection) => Promise<BatchResult>,
): DlqWork {
  return async (inspector) => {
    const tally: Tally = { done: 0, kept: [], missing: [] };
    const tell = progress(world, "at once");
    const waiting = [...selections];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const chosen = next;
      const result = await patiently(() => batch(inspector, chosen));
      tally.done += result.done;
      tally.kept.push(...result.kept);
      tally.missing.push(...result.missing);
      if (result.next !== null) waiting.unshift(result.next);
      if (waiting.length > 0) tell(summary(verb, tally));
    }
    const { done, kept, missing } = tally;
    if (input.has("json")) world.out(JSON.stringify({ [verb]: done, kept, missing }));
    else for (const line of linesOf(verb, tally)) world.out(line);
    return kept.length + missing.length === 0 ? 0 : 1;
  };
}

function linesOf(verb: string, tally: Tally): string[] {
  const left = [
    ...tally.kept.map(({ id, reason }) => `  kept ${id}: ${oneLine(reason)}`),
    ...tally.missing.map((id) => `  missing ${id}`),
  ];
  const more = left.length - maxLinesShown;
  const rest = more > 0 ? [`  and ${more} more; --json names every one`] : [];
  return [summary(verb, tally), ...left.slice(0, maxLinesShown), ...rest];
}

function summary(verb: string, { done, kept, missing }: Tally): string {
  const rest = [
    kept.length > 0 ? `, kept ${kept.length}` : "",
    missing.length > 0 ? `, missing ${missing.length}` : "",
  ];
  return `${verb} ${done}${rest.join("")}`;
}

/** Waits while the node has its hands full. */
async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  const clock = systemClock();
  const { signal } = new AbortController();
  const giveUpAt = clock.monotonic() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const full = ActrError.is(error) && error.code === "overloaded";
      if (!full || clock.monotonic() >= giveUpAt) throw error;
    }
    await clock.sleep(pauseMs, { signal });
  }
}

/** The letters that the command line means, a batch each. @throws Misuse. */
function selectionsOf(ids: readonly string[], input: Input): Selection[] {
  const category = input.value("category");
  const age = input.value("before");
  const chosen = input.has("all") || category !== undefined || age !== undefined;
  if (ids.length > 0) {
    if (chosen) throw new Misuse("name ids, or choose letters by --all, --category and --before");
    return chunks(ids);
  }
  if (!chosen) throw new Misuse("no letters are chosen; name ids, or add --all or --category WORD");
  return [
    {
      ...(category === undefined ? { all: true } : { category }),
      ...(age === undefined ? {} : { before: systemClock().now() - parseAge(age, "--before") }),
    },
  ];
}

function chunks(ids: readonly string[]): Selection[] {
  const batches: Selection[] = [];
  for (let at = 0; at < ids.length; at += maxRedriveBatch) {
    batches.push({ ids: ids.slice(at, at + maxRedriveBatch) });
  }
  return batches;
}
