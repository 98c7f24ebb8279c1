import type { MailboxView } from "../../../inspector/inspector.ts";
import { h, table } from "./dom.ts";
import { type Page, refreshed, type View } from "./view.ts";

/** What the node counts. */
export function metricsView(page: Page): View {
  const filter = h("input", { id: "filter", type: "search", input: () => show() });
  const mailbox = h("p", {});
  const list = h("div", {});
  let samples: (readonly [name: string, value: string])[] = [];

  const show = (): void => {
    const rows = samples
      .filter(([name]) => name.includes(filter.value))
      .map(([name, value]) => [h("code", {}, name), value]);
    list.replaceChildren(table("Metrics", ["Metric", "Value"], rows));
  };

  const load = async (): Promise<void> => {
    const { queuedNormal, queuedHigh, inFlight } = await page.api.ask<MailboxView>("/mailbox");
    const queued = queuedNormal + queuedHigh;
    mailbox.textContent = `Mailbox: ${queued} wait, ${inFlight} are being handled.`;
    const text = await (await fetch("/metrics")).text();
    samples = text.split("\n").filter(isSample).map(sampleOf);
    show();
  };

  const search = h("div", { class: "row" }, h("label", { for: "filter" }, "Filter"), filter);
  const element = h("section", { "aria-label": "Metrics" }, mailbox, search, list);
  return refreshed(page, element, load);
}

function isSample(line: string): boolean {
  return line !== "" && !line.startsWith("#") && !line.includes("_bucket{");
}

function sampleOf(line: string): readonly [string, string] {
  const at = line.lastIndexOf(" ");
  return [line.slice(0, at), line.slice(at + 1)];
}
