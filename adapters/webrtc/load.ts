import { isMainThread } from "node:worker_threads";
import { ActrError } from "../../src/errors.ts";

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
