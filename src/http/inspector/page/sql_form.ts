import { button, h, rowTable } from "./dom.ts";
import type { Page } from "./view.ts";

type SqlRow = Readonly<Record<string, unknown>>;

/** Asks an actor's database by hand; it changes only what it is told that it may change. */
export function sqlForm(page: Page, path: string): HTMLElement {
  const sql = h("textarea", { id: "sql", class: "short", spellcheck: "false" });
  const args = h("textarea", { id: "sql-args", class: "short", spellcheck: "false" });
  args.value = "[]";
  const writes = h("input", { id: "sql-writes", type: "checkbox" });
  const output = h("div", { role: "status" });
  const run = (): Promise<void> =>
    page.attempt(async () => {
      const asked = writes.checked ? "execute" : "query";
      const body = { sql: sql.value, args: JSON.parse(args.value) };
      const { rows, truncated } = await page.api.ask<{ rows: SqlRow[]; truncated: boolean }>(
        `${path}/database/${asked}`,
        { method: "POST", body },
      );
      const more = truncated ? ", and more" : "";
      output.replaceChildren(h("p", {}, `${rows.length} rows${more}`), rowTable("Answer", rows));
      page.tell("The statement has run.");
      // What changes something is asked for anew each time.
      writes.checked = false;
    });
  return h(
    "section",
    { "aria-label": "SQL" },
    h("label", { for: "sql" }, "One statement"),
    sql,
    h("label", { for: "sql-args" }, "Parameters (a JSON array)"),
    args,
    h(
      "div",
      { class: "row" },
      writes,
      h("label", { for: "sql-writes" }, "It may change the database, this once"),
      button("Run", () => void run(), "main"),
    ),
    output,
  );
}
