import { actorView } from "./actor_view.ts";
import { actorsView } from "./actors_view.ts";
import { Api, Refused } from "./api.ts";
import { h } from "./dom.ts";
import { lettersView } from "./letters_view.ts";
import { metricsView } from "./metrics_view.ts";
import type { Page, View } from "./view.ts";

const api = new Api();
const main = elementOf("main");
const status = elementOf("status");
const leave = elementOf("leave");
let view: View | undefined;

const page: Page = {
  api,
  tell: (message) => tell(message, ""),
  async attempt(work) {
    try {
      await work();
      if (status.className === "bad") tell("", "");
    } catch (error) {
      if (error instanceof Refused) askForToken(error.message);
      else tell((error as Error).message, "bad");
    }
  },
};

/** `#/actors/ID/TAB`, `#/kinds/NAME`, `#/letters`, `#/metrics`. */
function viewOf(hash: string): View {
  const [section, first, second] = hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  if (section === "letters") return lettersView(page);
  if (section === "metrics") return metricsView(page);
  if (section === "actors" && first !== undefined) return actorView(page, first, second);
  return actorsView(page, section === "kinds" ? first : undefined);
}

function show(): void {
  if (location.hash === "#main" && view !== undefined) return;
  takeToken();
  view?.close();
  view = undefined;
  if (api.token === undefined) return askForToken("");
  leave.hidden = false;
  tell("", "");
  drawSections();
  view = viewOf(location.hash);
  main.replaceChildren(view.element);
}

/** A token in the address is taken out of it, so that neither history nor a copied address tells it. */
function takeToken(): void {
  const [, token] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (token === undefined) return;
  api.token = decodeURIComponent(token);
  history.replaceState(null, "", location.pathname);
}

function drawSections(): void {
  const section = location.hash.split("/")[1] ?? "";
  const links = [
    ["actors", "Actors", section !== "letters" && section !== "metrics"],
    ["letters", "Dead letters", section === "letters"],
    ["metrics", "Metrics", section === "metrics"],
  ] as const;
  const drawn = links.map(([name, label, isCurrent]) => {
    const current = isCurrent ? { "aria-current": "page" } : {};
    return h("a", { href: `#/${name}`, ...current }, label);
  });
  elementOf("sections").replaceChildren(...drawn);
}

function askForToken(problem: string): void {
  view?.close();
  view = undefined;
  api.token = undefined;
  leave.hidden = true;
  elementOf("sections").replaceChildren();
  tell(problem, "bad");
  const input = h("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const enter = (event: Event): void => {
    event.preventDefault();
    api.token = input.value.trim();
    show();
  };
  const form = h(
    "form",
    { class: "token", submit: enter },
    h("h2", {}, "Inspection token"),
    h("label", { for: "token" }, "What the node was started with: ROOST_INSPECT_TOKEN"),
    input,
    h("div", { class: "row" }, h("button", { class: "main" }, "Inspect")),
  );
  main.replaceChildren(form);
  input.focus();
}

function tell(message: string, tone: string): void {
  status.textContent = message;
  status.className = tone;
}

function elementOf(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}

leave.addEventListener("click", () => askForToken(""));
addEventListener("hashchange", show);
show();
