import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { WebSocket } from "ws";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import { fixture, Program, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";

/** Pages wait for each other's processor only. */
const bounds = { timeout: 120_000, skip: chromiumMissing ?? false, concurrency: true };
const token = "s3cret(of/the=test)";

/** Runs an action of a counter as a client does; the actor is made when there is none. */
function act(url: string, key: string, name: string, ...args: unknown[]): Promise<unknown> {
  return actOn("counter", url, key, name, ...args);
}

async function actOn(
  actor: string,
  url: string,
  key: string,
  name: string,
  ...args: unknown[]
): Promise<unknown> {
  const query = `rvt-namespace=default&rvt-method=getOrCreate&rvt-key=${key}`;
  const response = await fetch(`${url}/gateway/${actor}/action/${name}?${query}`, {
    method: "POST",
    body: JSON.stringify({ args }),
  });
  const { output } = (await response.json()) as { output: unknown };
  return output;
}

/** What the inspector says of an actor. */
async function ask<T>(url: string, path: string): Promise<T> {
  const headers = { authorization: `Bearer ${token}` };
  return (await (await fetch(`${url}/inspect${path}`, { headers })).json()) as T;
}

async function idOf(url: string, key: string, actor = "counter"): Promise<string> {
  const { actors } = await ask<{ actors: { id: string; key: string }[] }>(
    url,
    `/actors?name=${actor}`,
  );
  return actors.find((each) => each.key === key)?.id ?? assert.fail(`no actor ${key}`);
}

/** Waits until an element has a text. */
async function shows(element: Locator, text: string | RegExp): Promise<void> {
  await element.filter({ hasText: text }).first().waitFor({ timeout: 20_000 });
}

/** Waits until the editor has a text, and returns it. */
async function stateShown(page: Page, text: string): Promise<string> {
  await page.waitForFunction(
    (wanted) => document.querySelector<HTMLTextAreaElement>("#state")?.value.includes(wanted),
    text,
  );
  return await page.locator("#state").inputValue();
}

describe("the inspector's page", bounds, () => {
  let chromium: Chromium;
  const nodes = new Map<RuntimeName, Program>();
  const urls = new Map<RuntimeName, string>();
  /** What went wrong in pages, and what they asked of others than their node. */
  const complaints: string[] = [];

  before(async () => {
    const starting = runtimeNames.map(async (name) => {
      const program = new Program(name, fixture("inspected_node.ts"), []);
      nodes.set(name, program);
      urls.set(name, (await program.line<{ url: string }>(60_000)).url);
    });
    [chromium] = await Promise.all([Chromium.launch(), ...starting]);
  });

  after(async () => {
    await chromium?.[Symbol.asyncDispose]();
    for (const program of nodes.values()) await program.kill("SIGTERM");
    // What a test does on purpose is refused, and said so: a script of others, a statement that would write.
    const refused = /TrustedScript|status of 400/;
    const others = complaints.filter((each) => !refused.test(each));
    assert.deepEqual(others, []);
  });

  const urlOf = (runtime: RuntimeName = "node"): string => urls.get(runtime) as string;

  /** A page of a node, with the token unless it is to ask for it. */
  async function open(url: string, hash = "", given: string | null = token): Promise<Page> {
    const context = await chromium.browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("request", (request) => {
      if (!request.url().startsWith(`${url}/`) && !request.url().startsWith("data:")) {
        complaints.push(`asks for ${request.url()}`);
      }
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("401")) {
        complaints.push(message.text());
      }
    });
    if (given === null) await page.goto(`${url}/inspect`);
    else await page.goto(`${url}/inspect#token=${encodeURIComponent(given)}`);
    if (hash !== "") await page.goto(`${url}/inspect${hash}`);
    return page;
  }

  for (const runtime of runtimeNames) {
    it(`of a node on ${runtime}: asks for the token, lists actors, shows a state live and saves an edit`, async () => {
      const url = urlOf(runtime);
      await act(url, "first", "add", 2);
      const page = await open(url, "", null);
      await shows(page.locator("h2"), "Inspection token");
      assert.doesNotMatch(await page.locator("main").innerText(), /first/);
      await page.keyboard.type("wrong");
      await page.keyboard.press("Enter");
      await shows(page.locator("#status"), "refuses this token");
      await page.keyboard.type(token);
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "first", exact: true }).click();
      assert.match(await stateShown(page, '"count": 2'), /\["\$Date",|"\$Date"/);
      await shows(page.locator("article"), "live");
      await act(url, "first", "add", 40);
      const text = await stateShown(page, '"count": 42');
      await page.locator("#state").fill(text.replace("42", "7"));
      await page.keyboard.press("Control+Enter");
      await shows(page.locator("article"), "Saved.");
      assert.equal(await act(url, "first", "add", 1), 8);
      await stateShown(page, '"count": 8');
      await page.context().close();
    });
  }

  it("takes a token out of its address", async () => {
    const page = await open(urlOf());
    await shows(page.locator("nav"), "Dead letters");
    assert.equal(page.url(), `${urlOf()}/inspect`);
    await page.reload();
    await shows(page.locator("nav"), "Dead letters");
    await page.getByRole("button", { name: "Forget token" }).click();
    await shows(page.locator("h2"), "Inspection token");
    await page.context().close();
  });

  it("shows connections, schedules, queue, values and turns, and runs actions", async () => {
    const url = urlOf();
    await act(url, "parts", "plan");
    await act(url, "parts", "put", 11);
    await act(url, "parts", "keep", "<img src=x onerror=alert(1)>");
    const id = await idOf(url, "parts");
    const client = new WebSocket(`${url.replace("http", "ws")}/gateway/${id}/connect`, [
      "rivet",
      "rivet_encoding.json",
    ]);
    await new Promise((resolve) => client.once("message", resolve));
    const page = await open(url, `#/actors/${id}/connections`);
    const main = page.locator("main");
    const tab = async (name: string): Promise<void> => {
      await page.getByRole("link", { name, exact: true }).click();
      // What changes is told, and kept, while somebody looks: each tab looks anew.
      await shows(main.locator("article nav a[aria-current=page]"), name);
      await shows(main.locator("article p"), "live");
    };
    await shows(main.locator("tbody tr"), "undefined");
    client.close();
    await shows(main, "Connections: none");
    await tab("schedules");
    await shows(main.locator("tbody tr"), "add");
    await tab("queue");
    await shows(main, "1 of 1000 messages");
    await act(url, "parts", "put", 12);
    await shows(main, "2 of 1000 messages");
    await tab("values");
    await shows(main.locator("tbody tr"), "<img src=x");
    assert.equal(await page.locator("img").count(), 0);
    await tab("workflow");
    await shows(main, "runs no workflow");
    await tab("traces");
    await act(url, "parts", "fail");
    await shows(main.locator("tbody tr"), "internal");
    await tab("actions");
    await page.locator("#action").selectOption("add");
    await page.locator("#args").fill("[5]");
    await page.getByRole("button", { name: "Run" }).click();
    await shows(main.locator("pre"), "5");
    await tab("state");
    await stateShown(page, '"count": 5');
    await act(url, "parts", "sleep");
    await shows(main.locator("article p"), "asleep");
    await page.context().close();
  });

  it("shows what a workflow does as it goes on, and replays it from an entry", async () => {
    const url = urlOf();
    await actOn("shop", url, "works", "order", "tea");
    const page = await open(url, `#/actors/${await idOf(url, "works", "shop")}/workflow`);
    const main = page.locator("main");
    const entry = (name: string): Locator =>
      main.locator("tbody tr").filter({ has: page.locator("code", { hasText: name }) });
    await shows(entry("deliver"), "failed");
    await shows(entry("deliver"), "the road is closed");
    await shows(main.locator("article .row"), "failed");
    assert.deepEqual(await main.locator("tbody tr td:first-child").allInnerTexts(), [
      "open",
      "order",
      "sell",
      "deliver",
    ]);
    await shows(entry("sell"), "completed");
    const [from = 0, to = 0] = await barsOf(page, ["open", "deliver"]);
    assert.ok(from <= to, "the last entry begins after the first");

    const asked: string[] = [];
    page.on("dialog", (dialog) => {
      asked.push(dialog.message());
      void (asked.length === 1 ? dialog.dismiss() : dialog.accept());
    });
    await entry("order").getByRole("button", { name: "Replay" }).click();
    assert.match(asked[0] ?? "", /Forget what the workflow did from order on/);
    await entry("order").getByRole("button", { name: "Replay" }).click();
    await shows(page.locator("#status"), "runs again from order");
    // It waits for another order, and shows by itself what becomes of it.
    await shows(main.locator("article .row"), "sleeping");
    assert.equal(await entry("sell").count(), 0);
    await actOn("shop", url, "works", "order", "milk");
    await shows(entry("deliver"), "the road is closed");
    await page.context().close();
  });

  it("asks the database of an actor, and changes it only where it is told to", async () => {
    const url = urlOf();
    await actOn("shop", url, "asked", "order", "tea");
    const id = await idOf(url, "asked", "shop");
    const page = await open(url, `#/actors/${id}/database`);
    const main = page.locator("main");
    await shows(main.locator("table tbody tr"), "sign");
    await page.getByRole("link", { name: "sql", exact: true }).click();
    const run = async (sql: string, args = "[]"): Promise<void> => {
      await page.locator("#sql").fill(sql);
      await page.locator("#sql-args").fill(args);
      await page.getByRole("button", { name: "Run" }).click();
    };
    await run("SELECT what FROM items WHERE id = ?", "[1]");
    await shows(main.locator("tbody tr"), "sign");
    const insert = "INSERT INTO items (what) VALUES (?) RETURNING what";
    await run(insert, '["<b>lamp</b>"]');
    await shows(page.locator("#status.bad"), "syntax error");
    await page.locator("#sql-writes").check();
    await run(insert, '["<b>lamp</b>"]');
    await shows(main.locator("tbody tr"), "<b>lamp</b>");
    assert.equal(await page.locator("#sql-writes").isChecked(), false);
    await run("SELECT count(*) AS lamps FROM items WHERE what LIKE '%lamp%'");
    await shows(main.locator("thead"), "lamps");
    await shows(main.locator("tbody tr"), /^1$/);
    await act(url, "no-database", "add", 1);
    await page.goto(`${url}/inspect#/actors/${await idOf(url, "no-database")}/sql`);
    await shows(main, "This actor has no database.");
    await page.context().close();
  });

  it("tells who edits that the actor has changed its state meanwhile, and keeps the edit", async () => {
    const url = urlOf();
    await act(url, "edited", "add", 1);
    const page = await open(url, `#/actors/${await idOf(url, "edited")}/state`);
    await stateShown(page, '"count": 1');
    await shows(page.locator("article"), "live");
    const editor = page.locator("#state");
    await editor.fill('{"count": ');
    assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true);
    await editor.fill('{"count": 100}');
    await act(url, "edited", "add", 1);
    await shows(page.locator("article"), "has changed it meanwhile");
    assert.equal(await editor.inputValue(), '{"count": 100}');
    await page.getByRole("button", { name: "Show what it is now" }).click();
    await stateShown(page, '"count": 2');
    await page.context().close();
  });

  it("shows dead letters and deletes one, and metrics", async () => {
    const url = urlOf();
    await act(url, "letters", "put", 1);
    await act(url, "letters", "bury");
    const page = await open(url, "#/letters");
    const rows = page.locator("tbody tr");
    await shows(rows, "actor_queue");
    page.on("dialog", (dialog) => void dialog.accept());
    await rows.first().getByRole("button", { name: "Purge" }).click();
    await shows(page.locator("main"), "Dead letters: none");
    await page.getByRole("link", { name: "Metrics" }).click();
    await page.locator("#filter").fill("actors_awake");
    await shows(rows, "roost_actors_awake");
    await page.context().close();
  });

  it("can be used by keyboard alone: every control in order, seen where the focus is", async () => {
    const url = urlOf();
    await act(url, "keys", "add", 1);
    const page = await open(url);
    const link = page.getByRole("link", { name: "keys", exact: true });
    await link.waitFor();
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.textContent ?? "");
    const order: string[] = [];
    for (let n = 0; n < 40 && order.at(-1) !== "keys"; n++) {
      await page.keyboard.press("Tab");
      order.push(await focused());
    }
    assert.deepEqual(order.slice(0, 5), [
      "Skip to content",
      "Actors",
      "Dead letters",
      "Metrics",
      "Forget token",
    ]);
    assert.equal(order.at(-1), "keys");
    const outline = await link.evaluate((element) => getComputedStyle(element).outlineStyle);
    assert.equal(outline, "solid");
    await page.keyboard.press("Enter");
    await stateShown(page, '"count": 1');
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("input, select, textarea")]
        .filter((each) => (each as HTMLInputElement).labels?.length === 0)
        .map((each) => each.outerHTML),
    );
    assert.deepEqual(unnamed, []);
    await page.context().close();
  });

  it("can be read in light and dark, on a telephone too", async () => {
    const url = urlOf();
    await act(url, "colours", "add", 1);
    const page = await open(url, `#/actors/${await idOf(url, "colours")}/state`);
    await stateShown(page, '"count": 1');
    const backs: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const part of ["body", "nav a", ".faint", ".good", "#state", "button.main"]) {
        const [ratio, back] = await contrast(page, part);
        assert.ok(ratio >= 4.5, `${part} in ${colorScheme}: ${ratio}`);
        if (part === "body") backs.push(back);
      }
    }
    assert.notEqual(backs[0], backs[1]);
    await page.setViewportSize({ width: 360, height: 700 });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0);
    await page.context().close();
  });

  it("runs no script but its own, and takes none from elsewhere", async () => {
    const url = urlOf();
    const response = await fetch(`${url}/inspect`);
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'; script-src 'sha256-/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.doesNotMatch(await response.text(), /https?:\/\//);
    const page = await open(url);
    const injected = await page.evaluate(() => {
      try {
        const script = document.createElement("script");
        script.textContent = "document.title = 'injected'";
        document.body.append(script);
      } catch {
        // Refused before it could be tried.
      }
      return document.title;
    });
    assert.equal(injected, "Roost inspector");
    await page.context().close();
  });
});

/** Where the bars of entries begin, in percent of the time that is shown. */
async function barsOf(page: Page, names: readonly string[]): Promise<number[]> {
  const rows = page.locator("main tbody tr");
  return await Promise.all(
    names.map(async (name) => {
      const row = rows.filter({ has: page.locator("code", { hasText: name }) });
      return Number.parseFloat(
        await row.locator(".track span").evaluate((bar) => (bar as HTMLElement).style.left),
      );
    }),
  );
}

/** How well text stands out from what is behind it (WCAG 2), and the colour behind it. */
async function contrast(page: Page, selector: string): Promise<[number, string]> {
  const [text, ...behind] = await page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const colors = [getComputedStyle(element).color];
      for (let each: Element | null = element; each !== null; each = each.parentElement) {
        colors.push(getComputedStyle(each).backgroundColor);
      }
      return colors;
    });
  const back = behind.find((color) => channels(color)[3] !== 0) ?? "rgb(255, 255, 255)";
  const [one, other] = [luminance(text ?? ""), luminance(back)];
  return [(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), back];
}

function channels(color: string): number[] {
  return (color.match(/[\d.]+/g) ?? []).map(Number);
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = channels(color).map((each) => {
    const share = each / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
