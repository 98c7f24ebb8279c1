import { connect } from "@roost/edge/client";
import { TailService } from "./tail_pb.ts";

await using peer = await connect("http://127.0.0.1:8080");
const tail = peer.service(TailService, "acme:TailService:1.0.0");
await tail.append({ text: `${new Date().toISOString()} somebody follows` });
for await (const { text } of tail.follow(
  { line: 0 },
  { idleTimeoutMs: Number.POSITIVE_INFINITY },
)) {
  console.log(text);
}
