import { defineNode, service } from "@roost/edge";
import { EchoService } from "./echo_pb.ts";

const echo = service(EchoService, {
  handlers: { echo: (request) => ({ reply: `Echo: ${request.message}` }) },
});

export const app = defineNode({ type: "acme:EchoService:1.0.0", services: [echo] });
