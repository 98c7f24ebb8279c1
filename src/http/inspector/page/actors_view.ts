import type { ActorPage, KindJson, ListedActor } from "../actor_list.ts";
import { badge, button, h, table } from "./dom.ts";
import { type Page, refreshed, type View } from "./view.ts";

/** Actors by their definition. */
export function actorsView(page: Page, wanted: string | undefined): View {
  const kinds = h("nav", { "aria-label": "Definitions" });
  const filter = h("input", { id: "filter", type: "search", input: () => show() });
  const list = h("div", {});
  const more = button("More", () => {
    pages += 1;
    void page.attempt(load);
  });
  let pages = 1;
  let actors: ListedActor[] = [];

  const show = (): void => {
    const rows = actors
      .filter(({ key, id }) => `${key} ${id}`.includes(filter.value))
      .map(({ id, key, lifecycle }) => [
        h("a", { href: `#/actors/${encodeURIComponent(id)}/state` }, key),
        badge(lifecycle),
        h("code", {}, id),
      ]);
    list.replaceChildren(table("Actors", ["Key", "State", "Id"], rows));
  };

  const load = async (): Promise<void> => {
    const found = (await page.api.ask<{ kinds: KindJson[] }>("/actors")).kinds;
    const name = wanted ?? found[0]?.name;
    kinds.replaceChildren(...found.map((kind) => kindLink(kind, kind.name === name)));
    if (name === undefined) {
      list.replaceChildren(h("p", { class: "faint" }, "This node has no actors."));
      return;
    }
    const loaded: ListedActor[] = [];
    let after: string | null = "";
    for (let n = 0; n < pages && after !== null; n++) {
      const from: string = after === "" ? "" : `&after=${encodeURIComponent(after)}`;
      const part: ActorPage = await page.api.ask(`/actors?name=${encodeURIComponent(name)}${from}`);
      loaded.push(...part.actors);
      after = part.next;
    }
    more.hidden = after === null;
    if (JSON.stringify(loaded) === JSON.stringify(actors) && list.hasChildNodes()) return;
    actors = loaded;
    show();
  };

  const search = h("div", { class: "row" }, h("label", { for: "filter" }, "Filter"), filter);
  const element = h("section", { "aria-label": "Actors" }, kinds, search, list, more);
  more.hidden = true;
  return refreshed(page, element, load);
}

function kindLink({ name, awake }: KindJson, isCurrent: boolean): HTMLElement {
  const href = `#/kinds/${encodeURIComponent(name)}`;
  const current = isCurrent ? { "aria-current": "page" } : {};
  return h("a", { href, ...current }, `${name} (${awake} awake)`);
}
