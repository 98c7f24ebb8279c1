import type { Link, Links } from "../link.ts";
import { trap } from "../trap.ts";
import { streams } from "./streams.ts";

/** An empty list, or two zeros, as a result at a place. */
const nothing: Link = (guest) => (at: number) => {
  const { memory } = guest;
  memory.requireInside(at >>> 0, 8, 4);
  memory.view.setUint32(at >>> 0, 0, true);
  memory.view.setUint32((at >>> 0) + 4, 0, true);
};

/** An option that is absent. */
const none: Link = (guest) => (at: number) => {
  const { memory } = guest;
  memory.requireInside(at >>> 0, 1, 1);
  memory.view.setUint8(at >>> 0, 0);
};

/** No variables, no arguments, no folder. */
export const environmentLinks: Links = {
  "get-environment": nothing,
  "get-arguments": nothing,
  "initial-cwd": none,
};

/** A guest that exits is over. */
export const exitLinks: Links = {
  exit: () => (status: number) => trap(`it exits with ${status === 0 ? "success" : "a failure"}`),
  "exit-with-code": () => (code: number) => trap(`it exits with code ${code}`),
};

/** Streams as handles that need no table. */
export const stdioLinks: Links = {
  "get-stdin": () => () => streams.in,
  "get-stdout": () => () => streams.out,
  "get-stderr": () => () => streams.error,
};

/** No stream is a terminal. */
export const terminalLinks: Links = {
  "get-terminal-stdin": none,
  "get-terminal-stdout": none,
  "get-terminal-stderr": none,
  "[resource-drop]terminal-input": () => () => {},
  "[resource-drop]terminal-output": () => () => {},
};
