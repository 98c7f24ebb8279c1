import { defineNode, service } from "@roost/edge";
import { TailService } from "./tail_pb.ts";

const lines: string[] = [];
const followers = new Set<() => void>();

/** Resolves when a line is added, or `signal` aborts. */
function news(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const heard = (): void => {
      followers.delete(heard);
      signal.removeEventListener("abort", heard);
      resolve();
    };
    followers.add(heard);
    signal.addEventListener("abort", heard);
  });
}

const tail = service(TailService, {
  handlers: {
    append({ text }) {
      lines.push(text);
      for (const tell of [...followers]) tell();
      return { line: lines.length };
    },
    async *follow({ line }, { signal }) {
      for (let at = line; !signal.aborted; at += 1) {
        while (at >= lines.length && !signal.aborted) await news(signal);
        const text = lines[at];
        if (text !== undefined) yield { text };
      }
    },
  },
});

export const app = defineNode({ type: "acme:TailService:1.0.0", services: [tail] });
