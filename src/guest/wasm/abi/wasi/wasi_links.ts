import type { Links } from "../link.ts";
import { environmentLinks, exitLinks, stdioLinks, terminalLinks } from "./cli.ts";
import { clockLinks, wallClockLinks } from "./clocks.ts";
import { errorLinks, pollLinks, streamLinks } from "./io.ts";
import { insecureLinks, insecureSeedLinks, randomLinks } from "./random.ts";

/** What languages' own libraries import of WASI 0.2, by interface: no files, no network, no input (`spec/guest.md` §17). */
export const wasiLinks: Readonly<Record<string, Links>> = {
  "wasi:cli/environment": environmentLinks,
  "wasi:cli/exit": exitLinks,
  "wasi:cli/stdin": stdioLinks,
  "wasi:cli/stdout": stdioLinks,
  "wasi:cli/stderr": stdioLinks,
  "wasi:cli/terminal-input": terminalLinks,
  "wasi:cli/terminal-output": terminalLinks,
  "wasi:cli/terminal-stdin": terminalLinks,
  "wasi:cli/terminal-stdout": terminalLinks,
  "wasi:cli/terminal-stderr": terminalLinks,
  "wasi:clocks/monotonic-clock": clockLinks,
  "wasi:clocks/wall-clock": wallClockLinks,
  "wasi:io/error": errorLinks,
  "wasi:io/poll": pollLinks,
  "wasi:io/streams": streamLinks,
  "wasi:random/random": randomLinks,
  "wasi:random/insecure": insecureLinks,
  "wasi:random/insecure-seed": insecureSeedLinks,
};
