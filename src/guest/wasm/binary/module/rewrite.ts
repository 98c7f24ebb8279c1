import { guestFault } from "../../../fault.ts";
import type { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";
import { type Helper, helpers, pageBytes } from "./helpers.ts";
import { leb, signedLeb } from "./leb.ts";
import { addedTo, meterOf } from "./meter.ts";
import { CodeMeter } from "./meter_code.ts";
import type { ModuleOutline } from "./outline.ts";
import { moduleHeader, sectionIds, sectionOrder } from "./sections.ts";

/** What a module may use. */
export interface ModuleLimits {
  readonly fuel: number;
  readonly memoryBytes: number;
  readonly tableElements: number;
  readonly codeBytes: number;
}

/** A module that counts its fuel, and the names of what it exports for that. */
export interface RewrittenModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fuelGlobal: string;
  readonly deniedGlobal: string;
}

/** How much longer than the longest component a module may become by counting. */
const mostGrowth = 2;
const roomForPoints = 1.1;
const i32 = 0x7f;

/**
 * A core module with points of fuel at every function's entry and every loop's turn and between, its memories and tables
 * within limits, without custom sections; what it has keeps its numbers.
 * @throws ActrError with fault `load_failed` for code that cannot be counted, `resource_limit` where it begins with more
 * than it may have, or becomes too long.
 */
export function rewriteModule(
  outline: ModuleOutline,
  length: number,
  limits: ModuleLimits,
): RewrittenModule {
  checkBeginning(outline, limits);
  const names = addedNames(outline);
  const out = new Writer(length * roomForPoints, limits.codeBytes * mostGrowth);
  out.copy(moduleHeader);
  const writers = sectionWriters(outline, limits, names);
  for (const id of sectionOrder) {
    const section = outline.sections.open(id);
    const write = writers.get(id) ?? (section && copySection);
    if (write === undefined) continue;
    out.u8(id);
    const opened = out.open();
    write(out, section);
    out.close(opened);
  }
  return { bytes: out.written, ...names };
}

/** Bytes of memory that a module begins with. */
export function initialMemory({ memories }: ModuleOutline): number {
  return memories.reduce((sum, { least }) => sum + least * pageBytes, 0);
}

function checkBeginning(outline: ModuleOutline, limits: ModuleLimits): void {
  const bytes = initialMemory(outline);
  if (bytes > limits.memoryBytes) {
    throw tooMuch("bytes of memory", bytes, limits.memoryBytes);
  }
  const elements = outline.tables.reduce((sum, { least }) => sum + least, 0);
  if (elements > limits.tableElements) {
    throw tooMuch("elements of tables", elements, limits.tableElements);
  }
}

function tooMuch(what: string, found: number, limit: number): Error {
  return guestFault(
    "resource_limit",
    `the guest begins with ${found} ${what}, the limit is ${limit}: raise the limit, or build it with less`,
  );
}

/** Names of the added exports that no export of the module has. */
function addedNames({ exports }: ModuleOutline): { fuelGlobal: string; deniedGlobal: string } {
  const taken = new Set(exports.map(({ name }) => name));
  const free = (name: string): string => {
    let found = name;
    while (taken.has(found)) found += "_";
    return found;
  };
  return { fuelGlobal: free("roost:fuel"), deniedGlobal: free("roost:denied") };
}

type WriteSection = (out: Writer, section: Reader | undefined) => void;

function copySection(out: Writer, section: Reader | undefined): void {
  if (section !== undefined) out.copy(section.bytes, section.at, section.end);
}

/** A section with further entries behind its own. */
function withEntries(entries: readonly (readonly number[])[]): WriteSection {
  return (out, section) => {
    out.u32((section?.u32() ?? 0) + entries.length);
    copySection(out, section);
    for (const entry of entries) out.copy(Uint8Array.from(entry));
  };
}

/** Sections that are not just copied. */
function sectionWriters(
  outline: ModuleOutline,
  limits: ModuleLimits,
  names: { fuelGlobal: string; deniedGlobal: string },
): ReadonlyMap<number, WriteSection> {
  const added = addedTo(outline);
  const extra = helpers(outline, added, limits);
  const writers = new Map<number, WriteSection>([
    [sectionIds.type, withEntries(extra.map(({ type }) => type))],
    [sectionIds.function, withEntries(extra.map((_, index) => leb(outline.types.length + index)))],
    [sectionIds.global, withEntries([counter(limits.fuel), counter(0)])],
    [
      sectionIds.export,
      withEntries([
        globalExport(names.fuelGlobal, added.fuel),
        globalExport(names.deniedGlobal, added.denied),
      ]),
    ],
    [sectionIds.code, (out, section) => writeCode(out, section, outline, extra)],
  ]);
  if (outline.memories.length > outline.importedMemories) {
    writers.set(sectionIds.memory, (out) => writeMemories(out, outline, limits));
  }
  return writers;
}

/** A mutable i32. */
function counter(value: number): number[] {
  return [i32, 0x01, 0x41, ...signedLeb(value), 0x0b];
}

function globalExport(name: string, index: number): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...leb(bytes.length), ...bytes, 0x03, ...leb(index)];
}

/** Every memory of its own with a maximum: what all may have together, less what the others begin with. */
function writeMemories(
  out: Writer,
  { memories, importedMemories }: ModuleOutline,
  limits: ModuleLimits,
): void {
  const pages = Math.floor(limits.memoryBytes / pageBytes);
  const taken = memories.reduce((sum, { least }) => sum + least, 0);
  const own = memories.slice(importedMemories);
  out.u32(own.length);
  for (const { least, most = pages } of own) {
    out.u8(0x01);
    out.u32(least);
    out.u32(Math.min(most, pages - taken + least));
  }
}

function writeCode(
  out: Writer,
  section: Reader | undefined,
  outline: ModuleOutline,
  extra: readonly Helper[],
): void {
  const count = section?.u32() ?? 0;
  if (count !== outline.functions.length) {
    throw guestFault(
      "load_failed",
      `the main module has ${outline.functions.length} functions and ${count} bodies: the file is damaged, build it again`,
    );
  }
  out.u32(count + extra.length);
  const meter = new CodeMeter(out, meterOf(outline));
  for (let index = 0; index < count && section !== undefined; index++) {
    const opened = out.open();
    meter.copy(section.part(section.u32(), `function ${index} of the main module`));
    out.close(opened);
  }
  section?.finish();
  for (const { body } of extra) {
    out.u32(body.length);
    out.copy(Uint8Array.from(body));
  }
}
