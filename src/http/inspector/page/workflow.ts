import { badge, button, type Child, h, json, table, time } from "./dom.ts";
import type { Page } from "./view.ts";

/** One entry of a history, as the node shows it. */
interface Entry {
  readonly id: string;
  readonly location: readonly (string | { readonly loop: string; readonly iteration: number })[];
  readonly state: string;
  readonly detail: { readonly kind: string };
  readonly attempts: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly wakesAt: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Workflow {
  readonly isWorkflowEnabled: boolean;
  readonly history: {
    readonly state: string;
    readonly entries: readonly Entry[];
    readonly error: Entry["error"];
  } | null;
}

/** What a workflow has done, entry by entry, on one scale of time. */
export async function timeline(
  page: Page,
  path: string,
  again: () => void,
): Promise<readonly Child[]> {
  const { history, isWorkflowEnabled } = await page.api.ask<Workflow>(`${path}/workflow-history`);
  if (!isWorkflowEnabled || history === null) {
    return [h("p", { class: "faint" }, "This actor runs no workflow.")];
  }
  const replay = (entryId: string | undefined, what: string): void => {
    if (!confirm(`Forget what the workflow did from ${what} on, and run it again from there?`))
      return;
    void page.attempt(async () => {
      const body = entryId === undefined ? {} : { entryId };
      await page.api.ask(`${path}/workflow/replay`, { method: "POST", body });
      page.tell(`The workflow runs again from ${what}.`);
      again();
    });
  };
  const { entries } = history;
  const scale = scaleOf(entries);
  const rows = entries.map((entry) => {
    const name = nameOf(entry);
    return [
      h("code", {}, name),
      entry.detail.kind,
      badge(entry.state),
      bar(entry, scale),
      time(entry.createdAt),
      String(entry.attempts),
      detail(entry),
      button("Replay", () => replay(entry.id, name)),
    ];
  });
  const headings = ["Entry", "Kind", "State", "Time", "Begun", "Tries", "Detail", ""];
  return [
    h("div", { class: "row" }, "The workflow is", badge(history.state), failure(history.error)),
    table("Workflow", headings, rows),
    h(
      "div",
      { class: "row" },
      button("Replay all", () => replay(undefined, "its beginning")),
    ),
  ];
}

interface Scale {
  readonly from: number;
  readonly to: number;
}

function scaleOf(entries: readonly Entry[]): Scale {
  const times = entries.flatMap((each) => [each.createdAt, lastOf(each)]);
  const from = Math.min(...times);
  return { from, to: Math.max(...times, from + 1) };
}

function lastOf(entry: Entry): number {
  return entry.endedAt ?? entry.wakesAt ?? entry.startedAt ?? entry.createdAt;
}

function bar(entry: Entry, { from, to }: Scale): HTMLElement {
  const span = badge(entry.state);
  span.textContent = "";
  const begin = entry.startedAt ?? entry.createdAt;
  span.style.left = `${(100 * (begin - from)) / (to - from)}%`;
  span.style.width = `${(100 * Math.max(0, lastOf(entry) - begin)) / (to - from)}%`;
  const label = `${lastOf(entry) - begin} ms`;
  return h("div", { class: "track", role: "img", "aria-label": label, title: label }, span);
}

function nameOf({ location }: Entry): string {
  return location
    .map((part) => (typeof part === "string" ? part : `${part.loop}[${part.iteration}]`))
    .join(" / ");
}

function detail(entry: Entry): Child {
  const { kind: _, ...rest } = entry.detail;
  if (entry.error !== null) return failure(entry.error);
  if (entry.wakesAt !== null) return h("span", {}, "goes on ", time(entry.wakesAt));
  return Object.keys(rest).length === 0 ? "" : json(rest);
}

function failure(error: Entry["error"]): Child {
  return error ? h("span", { class: "bad" }, `${error.code}: ${error.message}`) : undefined;
}
