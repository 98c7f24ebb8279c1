import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import type { ActrError } from "../../../src/errors.ts";
import { packPackage } from "../../../src/guest/package/pack.ts";
import type { PackageFault } from "../../../src/guest/package/package_error.ts";
import type { PackageParts } from "../../../src/guest/package/package_parts.ts";
import { readZipEntry } from "../../../src/guest/package/zip/read_entry.ts";
import { readZipDirectory } from "../../../src/guest/package/zip/zip_directory.ts";
import { concatBytes, toHex, utf8 } from "../../../src/protocol/bytes.ts";
import { crc32 } from "../../../src/protocol/crc32.ts";
import { sha256 } from "../../../src/protocol/crypto.ts";
import { importSigningKey, type SigningKey, sign } from "../../../src/protocol/signing_key.ts";

/** A manufacturer's key; each number has another. */
export function keyOf(seed: number): Promise<SigningKey> {
  return importSigningKey(new Uint8Array(32).fill(seed));
}

/** The head of a component, and something behind it. */
export const component: Uint8Array = concatBytes([
  Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0),
  utf8("the code of a guest"),
]);

/** Parts of a package that has one of everything. */
export const parts: PackageParts = {
  type: { manufacturer: "acme", name: "Echo", version: "1.0.0" },
  binary: component,
  target: "wasm32-wasip2",
  resources: new Map([
    ["resources/glue.js", utf8("export const glue = 1;")],
    ["config/größe.toml", utf8('key = "value"')],
  ]),
  protos: new Map([
    ["echo.proto", utf8('syntax = "proto3"; message Echo {}')],
    ["ping.proto", utf8('syntax = "proto3"; message Ping {}')],
  ]),
  lockFile: utf8("[metadata]\nversion = 1\n"),
  description: "Says it again",
  license: "Apache-2.0",
};

/** An entry for {@link craftZip}; what is not said is as it should be. */
export interface CraftedEntry {
  readonly name: string | Uint8Array;
  readonly content: Uint8Array;
  readonly deflate?: boolean;
  /** Bytes in the archive, in place of the packed content. */
  readonly packed?: Uint8Array;
  /** Numbers of both headers, in place of the right ones. */
  readonly both?: HeaderFields;
  /** Numbers of the local header alone. */
  readonly local?: HeaderFields;
  /** Name in the local header. */
  readonly localName?: string;
  /** Extra field of the central header. */
  readonly extra?: Uint8Array;
  readonly disk?: number;
  readonly localAt?: number;
}

interface HeaderFields {
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly packedSize?: number;
  readonly size?: number;
}

/** Numbers of the record at the end, in place of the right ones. */
export interface CraftedEnd {
  readonly count?: number;
  readonly countHere?: number;
  readonly disks?: number;
  readonly size?: number;
  readonly start?: number;
  readonly comment?: Uint8Array;
  readonly commentLength?: number;
  /** Bytes between the last entry and the directory. */
  readonly gap?: Uint8Array;
}

/** An archive, written by nothing of what reads it; it may lie. */
export function craftZip(entries: readonly CraftedEntry[], end: CraftedEnd = {}): Uint8Array {
  const body: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = typeof entry.name === "string" ? utf8(entry.name) : entry.name;
    const localName = entry.localName === undefined ? name : utf8(entry.localName);
    const packed = entry.packed ?? (entry.deflate ? deflateRawSync(entry.content) : entry.content);
    const right = {
      flags: 0x0800,
      method: entry.deflate ? 8 : 0,
      crc: crc32(entry.content),
      packedSize: packed.length,
      size: entry.content.length,
      ...entry.both,
    };
    const local = header({ ...right, ...entry.local }, localName.length, 0);
    body.push(numbers([4, 0x04034b50]), local, localName, packed);
    const extra = entry.extra ?? new Uint8Array();
    const central = header(right, name.length, extra.length);
    const tail = numbers([2, 0], [2, entry.disk ?? 0], [2, 0], [4, 0], [4, entry.localAt ?? at]);
    directory.push(numbers([4, 0x02014b50], [2, 20]), central, tail, name, extra);
    at += 30 + localName.length + packed.length;
  }
  const { gap = new Uint8Array(), comment = new Uint8Array() } = end;
  const central = concatBytes(directory);
  const count = end.count ?? entries.length;
  const record = numbers(
    [4, 0x06054b50],
    [4, end.disks ?? 0],
    [2, end.countHere ?? count],
    [2, count],
    [4, end.size ?? central.length],
    [4, end.start ?? at + gap.length],
    [2, end.commentLength ?? comment.length],
  );
  return concatBytes([...body, gap, central, record, comment]);
}

function header(fields: Required<HeaderFields>, nameLength: number, extra: number): Uint8Array {
  const { flags, method, crc, packedSize, size } = fields;
  const head = numbers([2, 20], [2, flags], [2, method], [4, 0], [4, crc], [4, packedSize]);
  return concatBytes([head, numbers([4, size], [2, nameLength], [2, extra])]);
}

/** Little-endian numbers, each of its own width. */
export function numbers(
  ...fields: readonly (readonly [bytes: 2 | 4, value: number])[]
): Uint8Array {
  const bytes = fields.flatMap(([width, value]) =>
    Array.from({ length: width }, (_, index) => (value >>> (8 * index)) & 0xff),
  );
  return Uint8Array.from(bytes);
}

/** The entries of a package that is all right, to be changed one by one. */
export async function entriesOf(bytes: Uint8Array): Promise<CraftedEntry[]> {
  const files = [...readZipDirectory(bytes).values()];
  return await Promise.all(
    files.map(async (file) => ({ name: file.name, content: await readZipEntry(file) })),
  );
}

/** The entries of the package of {@link parts}, and the key that it is signed with. */
export async function packedEntries(
  own: PackageParts = parts,
): Promise<{ readonly entries: CraftedEntry[]; readonly key: SigningKey }> {
  const key = await keyOf(1);
  return { key, entries: await entriesOf(await packPackage(own, key)) };
}

/** Entries with one of them replaced, or taken away. */
export function changed(
  entries: readonly CraftedEntry[],
  name: string,
  change: Partial<CraftedEntry> | undefined,
): CraftedEntry[] {
  assert.ok(
    entries.some((each) => each.name === name),
    `${name} is there`,
  );
  return entries.flatMap((each) =>
    each.name !== name ? [each] : change === undefined ? [] : [{ ...each, ...change }],
  );
}

/** Entries whose manifest is another text, signed as it is. */
export async function resigned(
  entries: readonly CraftedEntry[],
  key: SigningKey,
  edit: (manifest: string) => string,
): Promise<CraftedEntry[]> {
  const old = entries.find((each) => each.name === "manifest.toml")?.content;
  const manifest = utf8(edit(new TextDecoder().decode(old)));
  const signature = await sign(key, manifest);
  const withManifest = changed(entries, "manifest.toml", { content: manifest });
  return changed(withManifest, "manifest.sig", { content: signature });
}

/** SHA-256 as manifests have it. */
export async function hashOf(bytes: Uint8Array): Promise<string> {
  return toHex(await sha256(bytes));
}

/** Asserts that a package is refused, for what and where: as a forged one where what was signed is not what stands there. */
export async function refused(
  promise: Promise<unknown>,
  fault: PackageFault,
  place: { readonly path?: string; readonly field?: string; readonly says?: RegExp } = {},
): Promise<void> {
  const isForged = /^signature|hash_mismatch$/.test(fault);
  await assert.rejects(promise, (error: ActrError) => {
    const { code, details = {}, message } = error;
    assert.equal(details["package"], fault, message);
    assert.equal(code, isForged ? "permission_denied" : "invalid_argument", fault);
    if (place.path !== undefined) assert.equal(details["path"], place.path);
    if (place.field !== undefined) assert.equal(details["field"], place.field);
    assert.match(message, place.says ?? /./);
    return true;
  });
}
