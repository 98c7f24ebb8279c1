import type { LetterPage } from "../../../inspector/inspector.ts";
import { button, h, table, time } from "./dom.ts";
import { type Page, refreshed, type View } from "./view.ts";

/** What could not be done, to be tried again or deleted. */
export function lettersView(page: Page): View {
  const list = h("div", {});
  let shown = "";

  const operate = (what: "redrive" | "purge", id: string): void => {
    if (what === "purge" && !confirm("Delete this letter for good?")) return;
    void page.attempt(async () => {
      await page.api.ask(`/dead-letters/${what}`, { method: "POST", body: { ids: [id] } });
      page.tell(what === "purge" ? "Deleted." : "Put back into the mailbox.");
      await load();
    });
  };

  const load = async (): Promise<void> => {
    const { letters, next } = await page.api.ask<LetterPage>("/dead-letters");
    // Drawn only when it differs, so that the keyboard's place is kept.
    const text = JSON.stringify(letters);
    if (text === shown) return;
    shown = text;
    const rows = letters.map((letter) => [
      time(letter.createdAt),
      letter.category,
      letter.reason,
      letter.routeKey ?? letter.messageId ?? "",
      letter.from ?? "",
      h(
        "span",
        { class: "row" },
        button("Redrive", () => operate("redrive", letter.id)),
        button("Purge", () => operate("purge", letter.id)),
      ),
    ]);
    const headings = ["Since", "Category", "Reason", "What", "From", ""];
    const more = next === null ? [] : [h("p", {}, "There are more; the newest are shown.")];
    list.replaceChildren(table("Dead letters", headings, rows), ...more);
  };
  return refreshed(page, h("section", { "aria-label": "Dead letters" }, list), load);
}
