import { createHash } from "node:crypto";
import { defineNode, service } from "@roost/edge";
import { FileDropService } from "./file_drop_pb.ts";

/** Bytes between two reports. */
const reportEvery = 1_048_576;
/** Files that are listed. */
const listed = 20;

const files: { name: string; size: number; sha256: string }[] = [];

const fileDrop = service(FileDropService, {
  handlers: {
    async *take({ name, stream }, { callerId, streams, signal }) {
      const hash = createHash("sha256");
      let [received, reported] = [0, 0];
      await using reader = streams.receive(stream, { from: callerId, signal });
      yield { received };
      for await (const { payload } of reader) {
        hash.update(payload);
        received += payload.length;
        if (received < reported + reportEvery) continue;
        reported = received;
        yield { received };
      }
      const file = { name, size: received, sha256: hash.digest("hex") };
      files.unshift(file);
      files.splice(listed);
      yield { received, file };
    },
    list: () => ({ files }),
  },
});

export const app = defineNode({ type: "acme:FileDropService:1.0.0", services: [fileDrop] });
