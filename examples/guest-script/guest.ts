/** A guest: what a node runs that does not trust it. README.md tells how. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { defineWorkload } from "@roost/edge/guest";
import { EchoRequestSchema, EchoResponseSchema, EchoService } from "../echo/echo_pb.ts";

const route = `${EchoService.typeName}.${EchoService.method.echo.name}`;
let answered = 0;

defineWorkload({
  onStart: (context) => context.log("info", `starts as ${context.selfId.type.name}`),

  dispatch({ routeKey, payload }) {
    if (routeKey !== route) throw { tag: "unknown-route", val: routeKey };
    const { message } = fromBinary(EchoRequestSchema, payload);
    answered += 1;
    const reply = `Echo ${answered}: ${message}`;
    return toBinary(EchoResponseSchema, create(EchoResponseSchema, { reply }));
  },
});
