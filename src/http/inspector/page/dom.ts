import { textOf } from "./text_of.ts";

/** What an element can hold; nothing where it is undefined. */
export type Child = Node | string | undefined;

/** Attributes of an element; functions listen to the event of their name. */
export interface Properties {
  readonly [name: string]: string | boolean | ((event: Event) => void);
}

/** Makes an element. What is shown is text or elements, never markup. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A button. */
export function button(label: string, click: () => void, className = ""): HTMLButtonElement {
  return h("button", { type: "button", class: className, click }, label);
}

/** A table with a row of headings; says so where it has no rows. */
export function table(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly Child[])[],
): HTMLElement {
  if (rows.length === 0) return h("p", { class: "faint" }, `${caption}: none`);
  const heads = headings.map((heading) => h("th", { scope: "col" }, heading));
  const body = rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))));
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      { "aria-label": caption },
      h("thead", {}, h("tr", {}, ...heads)),
      h("tbody", {}, ...body),
    ),
  );
}

/** Rows of a database as they come. */
export function rowTable(
  caption: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): HTMLElement {
  const columns = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => columns.map((column) => h("code", {}, textOf(row[column]))));
  return table(caption, columns, cells);
}

/** A value, as people read it. */
export function json(value: unknown): HTMLPreElement {
  return h("pre", {}, textOf(value));
}

/** A time, Unix milliseconds. */
export function time(ms: number | null | undefined): Child {
  if (ms === null || ms === undefined) return "";
  const date = new Date(ms);
  return h("time", { datetime: date.toISOString() }, date.toLocaleString());
}

/** A state in its colour. */
export function badge(state: string): HTMLElement {
  return h("span", { class: tones[state] ?? "" }, state);
}

const tones: Readonly<Record<string, string>> = {
  started: "good",
  completed: "good",
  asleep: "faint",
  cancelled: "faint",
  failed: "bad",
  terminated: "bad",
  running: "wait",
  sleeping: "wait",
  pending: "wait",
  rolling_back: "wait",
};
