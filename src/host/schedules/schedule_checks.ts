import { ActrError } from "../../errors.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { ScheduleRow } from "./schedule_row.ts";

/** Shortest interval of what repeats, milliseconds (`spec/actor-host.md` §11.4). */
const minIntervalMs = 5000;
/** Longest name, UTF-8 bytes. */
const maxNameBytes = 128;
/** Most bytes that the arguments of a schedule have, encoded. */
const maxArgsBytes = 65_536;
/** Most tries after the first. */
const maxRetriesEver = 1000;
/** Longest first pause before another try, and longest pause of all, milliseconds. */
export const longestPauseMs = 86_400_000;
/** Latest time: what the keys of the index have digits for, Unix milliseconds. */
const latest = 999_999_999_999_999;

/** @throws ActrError `schedule.invalid` naming what cannot be stored, its value, and what it may be. */
export function checkSchedule(row: ScheduleRow): void {
  const { name, dueAt, everyMs, maxRetries, retryDelayMs, args } = row;
  if (!(dueAt >= 0 && dueAt <= latest)) throw invalid(`${dueAt} is no time in Unix milliseconds`);
  if (name !== undefined && (name === "" || utf8(name).length > maxNameBytes)) {
    throw invalid(`a name has 1 to ${maxNameBytes} bytes: ${JSON.stringify(name)}`);
  }
  if (everyMs !== undefined) checkNumber("the interval", everyMs, minIntervalMs, latest);
  checkNumber("maxRetries", maxRetries, 0, maxRetriesEver);
  checkNumber("retryDelayMs", retryDelayMs, 1, longestPauseMs);
  const { length } = encodeCbor(args);
  if (length > maxArgsBytes) {
    throw invalid(`the arguments have ${length} bytes; ${maxArgsBytes} are allowed`);
  }
}

function checkNumber(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw invalid(`${what} is ${value}; it must be a whole number from ${least} to ${most}`);
}

function invalid(message: string): ActrError {
  return new ActrError("schedule.invalid", message);
}
