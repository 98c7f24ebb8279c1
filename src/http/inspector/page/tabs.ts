import type { TableView } from "../../../host/inspection/inspection_database.ts";
import type { QueueJson, ScheduleJson, SummaryJson } from "../views.ts";
import { button, type Child, h, json, rowTable, table, time } from "./dom.ts";
import { textOf } from "./text_of.ts";
import type { Page } from "./view.ts";
import { timeline } from "./workflow.ts";

/** One tab of an actor that is asked for, and asked for again after a change. */
export type Tab = (page: Page, actorPath: string, again: () => void) => Promise<readonly Child[]>;

interface Run {
  readonly scheduleId: string;
  readonly action: string;
  readonly attempt: number;
  readonly dueAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly error?: { readonly code: string; readonly message: string };
}

interface Connection {
  readonly id: string;
  readonly details: {
    readonly params: unknown;
    readonly state: unknown;
    readonly events: readonly string[];
    readonly isHibernatable: boolean;
  };
}

interface Span {
  readonly traceId: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly message?: string };
}

interface Traces {
  readonly otlp: { readonly resourceSpans: readonly { scopeSpans: { spans: Span[] }[] }[] };
}

/** Tabs by name, beside the state, which is edited. */
export const tabs: Readonly<Record<string, Tab>> = {
  async connections({ api }, path) {
    const { connections } = await api.ask<{ connections: Connection[] }>(`${path}/connections`);
    const rows = connections.map(({ id, details }) => [
      h("code", {}, id),
      json(details.params),
      json(details.state),
      details.events.join(", "),
      details.isHibernatable ? "yes" : "no",
    ]);
    return [table("Connections", ["Id", "Params", "State", "Events", "Hibernates"], rows)];
  },

  async schedules({ api }, path) {
    const { schedules, runs } = await api.ask<{ schedules: ScheduleJson[]; runs: Run[] }>(
      `${path}/schedules`,
    );
    return [
      table(
        "Schedules",
        ["Action", "Name", "Next", "Repeats", "Failures", "Arguments"],
        schedules.map((each) => [
          each.action,
          each.name ?? "",
          time(each.nextAt),
          repeats(each),
          `${each.failures} of ${each.maxRetries + 1}`,
          json(each.args),
        ]),
      ),
      h("h3", {}, "Last runs"),
      table(
        "Last runs",
        ["Action", "Due", "Began", "Took", "Try", "Outcome"],
        runs.map((each) => [
          each.action,
          time(each.dueAt),
          time(each.startedAt),
          `${each.endedAt - each.startedAt} ms`,
          String(each.attempt),
          each.error === undefined
            ? h("span", { class: "good" }, "done")
            : h("span", { class: "bad" }, `${each.error.code}: ${each.error.message}`),
        ]),
      ),
    ];
  },

  async queue({ api }, path) {
    const queue = await api.ask<QueueJson>(`${path}/queue`);
    const rows = queue.messages.map((each) => [
      String(each.id),
      each.name,
      time(each.createdAtMs),
      time(each.availableAtMs),
      String(each.attempts),
      each.body === undefined ? `${each.bytes} bytes` : json(each.body),
    ]);
    const more = queue.truncated ? `; the first ${rows.length} are shown` : "";
    return [
      h("p", {}, `${queue.size} of ${queue.maxSize} messages${more}`),
      table("Messages", ["Id", "Queue", "Sent", "Ready from", "Attempts", "Body"], rows),
    ];
  },

  workflow: timeline,

  async values({ api }, path) {
    const { values, next } = await api.ask<{
      values: { key: string; value: unknown }[];
      next: string | null;
    }>(`${path}/values`);
    const rows = values.map(({ key, value }) => [h("code", {}, key), json(value)]);
    const more = next === null ? undefined : h("p", {}, `There are more, after ${next}.`);
    return [table("Values", ["Key", "Value"], rows), more];
  },

  async database({ api }, path) {
    const { isDatabaseEnabled } = await api.ask<SummaryJson>(`${path}/summary`);
    if (!isDatabaseEnabled) return [noDatabase()];
    const { schema } = await api.ask<{ schema: { tables: readonly TableView[] } }>(
      `${path}/database/schema`,
    );
    const parts = schema.tables.map(async ({ table: { name }, records }) => {
      const query = new URLSearchParams({ table: name });
      const { rows } = await api.ask<{ rows: Readonly<Record<string, unknown>>[] }>(
        `${path}/database/rows?${query}`,
      );
      const title = `${name}, ${records} rows`;
      return [h("h3", {}, title), rowTable(title, rows)];
    });
    return (await Promise.all(parts)).flat();
  },

  async traces({ api }, path) {
    const { otlp } = await api.ask<Traces>(`${path}/traces`);
    const spans = otlp.resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((s) => s.spans),
    );
    const rows = spans
      .reverse()
      .map((span) => [
        time(millis(span.startTimeUnixNano)),
        span.name.replace("actor.action.", ""),
        `${millis(span.endTimeUnixNano) - millis(span.startTimeUnixNano)} ms`,
        span.status.message === undefined
          ? h("span", { class: "good" }, "done")
          : h("span", { class: "bad" }, span.status.message),
        h("code", {}, span.traceId),
      ]);
    return [
      h("p", { class: "faint" }, "Turns that ended while somebody looked at this actor."),
      table("Turns", ["Began", "Action", "Took", "Outcome", "Trace"], rows),
    ];
  },
};

/** Of an actor without `sql`. */
export function noDatabase(): HTMLElement {
  return h("p", { class: "faint" }, "This actor has no database.");
}

/** Runs an action by hand. */
export function actionForm(page: Page, path: string, actions: readonly string[]): HTMLElement {
  const name = h("select", { id: "action" }, ...actions.map((each) => h("option", {}, each)));
  const args = h("textarea", { id: "args", class: "short", spellcheck: "false" });
  args.value = "[]";
  const output = h("pre", { role: "status" });
  const run = (): Promise<void> =>
    page.attempt(async () => {
      const asked = `${path}/action/${encodeURIComponent(name.value)}`;
      const body = { args: JSON.parse(args.value) };
      const answer = await page.api.ask<{ output: unknown }>(asked, { method: "POST", body });
      output.textContent = textOf(answer.output);
      page.tell(`${name.value} has run.`);
    });
  return h(
    "section",
    { "aria-label": "Actions" },
    h("div", { class: "row" }, h("label", { for: "action" }, "Action"), name),
    h("label", { for: "args" }, "Arguments (a JSON array)"),
    args,
    h(
      "div",
      { class: "row" },
      button("Run", () => void run(), "main"),
    ),
    output,
  );
}

function repeats({ everyMs, cron, timeZone }: ScheduleJson): string {
  if (everyMs !== null) return `every ${everyMs / 1000} s`;
  return cron === null ? "once" : `${cron} (${timeZone})`;
}

function millis(nanos: string): number {
  return Number(BigInt(nanos) / 1_000_000n);
}
