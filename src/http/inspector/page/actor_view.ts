import type { SummaryJson } from "../views.ts";
import { badge, h } from "./dom.ts";
import { Live, type LiveMessage } from "./live.ts";
import { sqlForm } from "./sql_form.ts";
import { StateEditor } from "./state_editor.ts";
import { actionForm, noDatabase, tabs } from "./tabs.ts";
import type { Page, View } from "./view.ts";

/** Which tab a change is seen on. */
const shownOn: Readonly<Record<string, readonly string[]>> = {
  ConnectionsUpdated: ["connections"],
  QueueUpdated: ["queue"],
  StateUpdated: ["schedules", "values", "database", "traces"],
  WorkflowHistoryUpdated: ["workflow"],
  LifecycleUpdated: ["connections", "queue", "workflow"],
};

const tracesMs = 2_000;

/** The tabs of an actor, in their order. */
const names = ["state", "actions", ...Object.keys(tabs), "sql"];

/** One actor: what it is, and one tab of it, as it changes. */
export function actorView(page: Page, id: string, tabName: string | undefined): View {
  const tab = names.includes(tabName ?? "") ? (tabName as string) : "state";
  const path = `/actors/${encodeURIComponent(id)}`;
  const title = h("h2", {}, id);
  const facts = h("p", { class: "row" });
  const body = h("div", {});
  const element = h("article", {}, title, facts, tabLinks(id, tab), body);
  const editor = new StateEditor(page, id);
  let actions: readonly string[] = [];
  let hasDatabase = false;
  let isOpen = true;

  const draw = (): Promise<void> =>
    page.attempt(async () => {
      if (tab === "state") return body.replaceChildren(editor.element);
      if (tab === "actions") return body.replaceChildren(actionForm(page, path, actions));
      if (tab === "sql")
        return body.replaceChildren(hasDatabase ? sqlForm(page, path) : noDatabase());
      const shown = (await tabs[tab]?.(page, path, () => void draw())) ?? [];
      if (isOpen) body.replaceChildren(...shown.filter((each) => each !== undefined));
    });
  const lifecycle = h("span", {});
  const live = h("span", { class: "faint" });

  void page.attempt(async () => {
    const summary = await page.api.ask<SummaryJson>(`${path}/summary`);
    if (!isOpen) return;
    title.textContent = `${summary.name} ${summary.key}`;
    lifecycle.replaceChildren(badge(summary.lifecycle));
    const version = h("span", { class: "faint" }, `version ${summary.stateVersion} of its state`);
    facts.replaceChildren(lifecycle, live, h("code", {}, id), version);
    editor.update(summary.state, summary.isStateEnabled);
    actions = summary.rpcs;
    hasDatabase = summary.isDatabaseEnabled;
    await draw();
  });

  const take = ({ tag, val }: LiveMessage): void => {
    if (tag === "Init") editor.update(val["state"], val["isStateEnabled"] === true);
    if (tag === "StateUpdated") editor.update(val["state"], true);
    if (tag === "LifecycleUpdated") lifecycle.replaceChildren(badge(String(val["lifecycle"])));
    if (tag === "Error") page.tell(String(val["message"]));
    if (shownOn[tag]?.includes(tab) === true) void draw();
  };
  const connection = new Live(page.api, id, take, (isLive) => {
    live.textContent = isLive ? "live" : "not connected";
  });
  // A turn that changes nothing is not told of.
  const timer = window.setInterval(() => {
    if (tab === "traces" && !document.hidden) void draw();
  }, tracesMs);
  return {
    element,
    close() {
      isOpen = false;
      clearInterval(timer);
      connection.close();
    },
  };
}

function tabLinks(id: string, current: string): HTMLElement {
  const links = names.map((name) => {
    const href = `#/actors/${encodeURIComponent(id)}/${name}`;
    return h("a", { href, ...(name === current ? { "aria-current": "page" } : {}) }, name);
  });
  return h("nav", { "aria-label": "Parts of the actor" }, ...links);
}
