import { connect } from "@roost/edge/client";
import { EchoService } from "./echo_pb.ts";

const peer = await connect("http://127.0.0.1:8080");
const echo = peer.service(EchoService, "acme:EchoService:1.0.0");
console.log(await echo.echo({ message: "hi" }, { timeoutMs: 2_000 }));
await peer.close();
