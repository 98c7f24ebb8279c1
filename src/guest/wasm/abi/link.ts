import type { Bridge } from "./bridge.ts";

/** A function of the host as WebAssembly calls it; by the guest's own types, i64 is a bigint and all else a number. */
export type CoreFunction = (...values: never[]) => unknown;

/** Makes one function of the host for an instance. */
export type Link = (guest: Bridge) => CoreFunction;

/** Functions of one interface, by their names. */
export type Links = Readonly<Record<string, Link>>;
