import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { root } from "../tools/root.ts";

/** The README and the pages that it leads to, in the order in which their commands are tried. */
const pages = ["README.md", "src/README.md", "transports/README.md", "src/host/README.md"];
pages.push("src/cli/README.md", "adapters/sql/README.md", "test/README.md");
const readme = pages.map((page) => readFileSync(join(root, page), "utf8")).join("\n");
const copy = mkdtempSync(join(tmpdir(), "roost-readme-"));

/** Fenced blocks of one language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((block) => block[1] === language)
    .map((block) => block[2] ?? "");
}

/** Every command, without its comment, each once. */
const every = blocks("sh").flatMap((block) =>
  block.split("\n").flatMap((line) => line.replace(/\s+# .*/, "").trim() || []),
);
const commands = [...new Set(every)];
const serves = (command: string): boolean =>
  /\b(npm start|(task|run) dev|sqld|roost -- (dev|serve|rendezvous))\b/.test(command);
/** Whether a command serves something that does not echo. */
const servesOthers = (command: string): boolean => /\b(sqld|rendezvous|counter)\b/.test(command);
const answer = blocks("json").join("");

interface Shell {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out: string;
  all: string;
}

/** Starts a command as a shell in the copy would. */
function start(command: string): Shell {
  // Of the environment only what a shell has: nothing of the npm that runs the tests.
  const { PATH: path = "", HOME = "" } = process.env;
  const PATH = `${dirname(process.execPath)}${delimiter}${path}`;
  const env = { PATH, HOME, NO_COLOR: "1", npm_config_prefer_offline: "true" };
  const child = spawn("sh", ["-c", command], { cwd: copy, detached: true, env });
  const shell: Shell = {
    child,
    ended: new Promise((resolve) => child.on("close", resolve)),
    out: "",
    all: "",
  };
  child.stdout.on("data", (chunk) => {
    shell.out += chunk;
    shell.all += chunk;
  });
  child.stderr.on("data", (chunk) => {
    shell.all += chunk;
  });
  return shell;
}

async function run(command: string): Promise<string> {
  const shell = start(command);
  const limit = setTimeout(() => kill(shell, "SIGKILL"), 180_000);
  assert.equal(await shell.ended, 0, `${command}: ${shell.all}`);
  clearTimeout(limit);
  return shell.out;
}

function kill({ child: { pid } }: Shell, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Whether somebody listens on a port of this machine. */
function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

async function until(what: () => string, done: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 900; tries += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within 90 s: ${what()}`);
}

function portOf(command: string): number {
  return Number(/--(?:port |http-listen-addr [\d.]+:)(\d+)/.exec(command)?.[1] ?? 8080);
}

describe("README", { timeout: 400_000 }, () => {
  const running = new Map<number, Shell>();

  async function stop(port: number): Promise<void> {
    const shell = running.get(port);
    if (shell === undefined) return;
    running.delete(port);
    kill(shell, "SIGINT");
    await shell.ended;
    await until(
      () => `port ${port} is free again`,
      async () => !(await isTaken(port)),
    );
  }

  async function serve(command: string): Promise<void> {
    const port = portOf(command);
    await stop(port);
    await until(
      () => `port ${port} is free for "${command}"`,
      async () => !(await isTaken(port)),
    );
    const shell = start(command);
    running.set(port, shell);
    await until(
      () => `${command}: ${shell.all}`,
      () => (command.includes("sqld") ? isTaken(port) : /health +http/.test(shell.out)),
    );
  }

  before(() => {
    const own = /^(\.git|\.results|\.roost|dist|node_modules)$/;
    for (const name of readdirSync(root).filter((each) => !own.test(each))) {
      cpSync(join(root, name), join(copy, name), {
        recursive: true,
        filter: (path) => !/[/\\](node_modules|\.roost)$/.test(path),
      });
    }
  });
  after(async () => {
    for (const shell of running.values()) kill(shell, "SIGKILL");
    rmSync(copy, { recursive: true, force: true, maxRetries: 5 });
  });

  it("shows the programs of examples/echo as they are", () => {
    const shown = blocks("ts");
    for (const name of ["app.ts", "call.ts"]) {
      assert.ok(shown.includes(readFileSync(join(root, "examples/echo", name), "utf8")), name);
    }
    assert.ok((shown[0]?.trim().split("\n").length ?? 99) <= 10);
  });

  it("leads to pages that are there", () => {
    for (const page of pages) {
      const text = readFileSync(join(root, page), "utf8");
      for (const [, link = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(link)) continue;
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? page : join(dirname(page), path);
        assert.ok(existsSync(join(root, target)), `${page}: ${link}`);
        if (anchor === undefined) continue;
        const titles = readFileSync(join(root, target), "utf8").matchAll(/^#+ (.*)$/gm);
        const anchors = [...titles].map(([, title = ""]) => anchorOf(title));
        assert.ok(anchors.includes(anchor), `${page}: ${link}`);
      }
    }
  });

  it("tells the settings that there are", async () => {
    const { sources } = await import("../../src/cli/settings/settings.ts");
    for (const { toml, env, flag } of Object.values(sources)) {
      for (const name of [toml?.key, env, flag && `--${flag.name}`]) {
        if (name !== undefined) assert.ok(readme.includes(`\`${name}\``), name);
      }
    }
  });

  const call = commands.find((command) => command.includes("-- call ")) ?? "";

  for (const command of commands) {
    if (command === "npm test") {
      // This test is part of it.
      it(`${command} is what the continuous integration runs`, () => {
        assert.match(readFileSync(join(root, ".ci/run"), "utf8"), /^npm test$/m);
      });
    } else if (serves(command)) {
      it(`${command}, and then the call`, async () => {
        await serve(command);
        if (servesOthers(command)) return;
        assert.equal(await run(call), answer);
      });
    } else {
      it(command, async () => {
        if (command.endsWith("doctor")) for (const port of [...running.keys()]) await stop(port);
        if (command.includes("store export")) await stop(8081);
        const out = await run(command);
        if (command === call) assert.equal(out, answer);
        else if (command.includes("store import")) assert.match(out, /^imported [1-9]\d* entries/);
        else if (command.includes("doctor --store")) assert.match(out, /whole; .*; in use by/);
        else if (command.includes("call.ts")) assert.match(out, /Echo: hi/);
        else if (command.includes("actors call")) assert.equal(out, "1\n");
        else if (command.includes("actors ls")) assert.match(out, /counter room-1\n1 actor\n$/);
        else if (command.includes("discover"))
          assert.match(out, /@1001\/acme:EchoService:1\.0\.0\n$/);
      });
    }
  }
});

/** As forges make it of a title: without punctuation. */
function anchorOf(title: string): string {
  const words = title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "");
  return words.replaceAll(" ", "-");
}
