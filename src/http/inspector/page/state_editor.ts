import { button, h } from "./dom.ts";
import { textOf } from "./text_of.ts";
import type { Page } from "./view.ts";

/** Shows the state of an actor as it changes, and saves what is typed. */
export class StateEditor {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #path: string;
  readonly #text = h("textarea", {
    id: "state",
    spellcheck: "false",
    autocomplete: "off",
    input: () => this.#typed(),
    keydown: (event) => this.#pressed(event as KeyboardEvent),
  });
  readonly #note = h("span", { class: "faint", role: "status" });
  readonly #save = button("Save", () => void this.#send(), "main");
  readonly #revert = button("Show what it is now", () => this.#show());
  /** As the actor has it. */
  #current = "";
  #isEdited = false;

  constructor(page: Page, actorId: string) {
    this.#page = page;
    this.#path = `/actors/${encodeURIComponent(actorId)}/state`;
    const label = h("label", { for: "state" }, "State (JSON)");
    const row = h("div", { class: "row" }, this.#save, this.#revert, this.#note);
    this.element = h("section", { "aria-label": "State" }, label, this.#text, row);
    this.#show();
  }

  /** The state is this now: it is shown, unless somebody edits what was shown before. */
  update(state: unknown, isEnabled: boolean): void {
    this.#text.disabled = !isEnabled;
    const text = isEnabled ? textOf(state) : "This actor has no state.";
    if (text === this.#current) return;
    this.#current = text;
    if (!this.#isEdited) this.#show();
    else this.#tell("The actor has changed it meanwhile; saving replaces that.", "wait");
  }

  #show(): void {
    this.#text.value = this.#current;
    this.#isEdited = false;
    this.#tell("Ctrl+Enter saves, in a turn of the actor.", "faint");
    this.#arm();
  }

  #typed(): void {
    this.#isEdited = this.#text.value !== this.#current;
    this.#tell(this.#problem() ?? "", "bad");
    this.#arm();
  }

  #pressed(event: KeyboardEvent): void {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#save.disabled) return;
    const text = this.#text.value;
    await this.#page.attempt(async () => {
      await this.#page.api.ask(this.#path, { method: "PATCH", body: { state: JSON.parse(text) } });
      this.#current = text;
      this.#isEdited = this.#text.value !== text;
      this.#tell("Saved.", "good");
    });
    this.#arm();
  }

  #problem(): string | undefined {
    try {
      JSON.parse(this.#text.value);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #arm(): void {
    this.#save.disabled = !this.#isEdited || this.#problem() !== undefined;
    this.#revert.disabled = !this.#isEdited;
  }

  #tell(message: string, tone: string): void {
    this.#note.textContent = message;
    this.#note.className = tone;
  }
}
