import { resolve } from "node:path";
import { filePath, isServer } from "../../../adapters/sql/open.ts";

/** A file as the url of a store. */
export function fileUrl(path: string): string {
  return `file:${path.replace(/[%?#]/g, encodeURIComponent)}`;
}

/**
 * What a user writes for a store as its url: a path (from `folder`), `file:PATH`, `:memory:`, or the address of a
 * libSQL server. Undefined for what is none of them.
 */
export function storeAddress(text: string, folder: string): string | undefined {
  if (text === ":memory:" || isServer(text)) return text;
  if (!/^[a-z][a-z\d+.-]+:/i.test(text)) return fileUrl(resolve(folder, text));
  try {
    return fileUrl(resolve(folder, filePath(text)));
  } catch {
    return undefined;
  }
}

/** The url of a store as it may be shown: tokens ride in queries and before hosts. */
export function shownStore(url: string): string {
  if (!isServer(url)) return url;
  return url.replace(/[?#].*/, "").replace(/\/\/[^/@]*@/, "//");
}
