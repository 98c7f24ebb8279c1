import { isMainThread } from "node:worker_threads";
import { ActrError } from "../../src/errors.ts";

/**
 * How long a closed connection of a native library keeps its process up, milliseconds: the library's threads speak of the
 * end a little after `close` has returned, and to a runtime that has gone they do so in freed memory. Measured on Deno,
 * test files that end right after closing twelve pairs of wrtc: 7 of 25 died by SIGSEGV without, none of 30 with it.
 */
export const lingerMs = 200;

/** Loads a native WebRTC library when it is first wanted. @throws ActrError `config` when it is missing, or would crash where it is wanted. */
export async function loadNative<T>(packageName: string, load: () => Promise<T>): Promise<T> {
  if (!isMainThread) {
    throw new ActrError("config", `${packageName} crashes in worker threads; use the main thread`);
  }
  try {
    return await load();
  } catch (error) {
    throw new ActrError("config", `${packageName} does not load; run npm install ${packageName}`, {
      cause: error,
    });
  }
}
