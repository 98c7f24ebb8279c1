import type { Target } from "../../../adapters/serve/options.ts";
import { type JsonMethod, serviceOfRoute } from "../../protocol/descriptors.ts";
import type { ActrId } from "../../protocol/ids.ts";
import type { JsonValue } from "../../protocol/schema.ts";
import { type Client, clientOptions, withClient } from "../client.ts";
import type { Command, Input, OptionSpecs, World } from "../command.ts";
import { methodOfFile, methodOfPeer } from "../method.ts";
import { Misuse } from "../misuse.ts";

const requestOptions: OptionSpecs = {
  json: { value: "JSON", help: "the request (default {})" },
  proto: {
    value: "FILE",
    help: "schema, .proto or FileDescriptorSet; a Roost node tells it itself",
  },
};

const requestArguments = { usage: "TYPE-or-ID ROUTE", least: 2, most: 2 };

/** Calls a method and prints the answer. */
export const callCommand: Command = {
  name: "call",
  summary: "Call a method of a node and print the answer as JSON",
  arguments: requestArguments,
  options: { ...requestOptions, ...clientOptions },
  example: `roost call acme:EchoService:1.0.0 echo.EchoService.Echo --json '{"message":"hi"}'`,

  async run(input: Input, world: World): Promise<number> {
    await request(input, world, async ({ peer, ...bounds }, { id, route, method, payload }) => {
      const { lane: payloadType } = method;
      const answer = await peer.context.call(id, route, payload, { ...bounds, payloadType });
      world.out(JSON.stringify(method.decodeResponse(answer)));
    });
    return 0;
  },
};

/** Sends a message without an answer. */
export const tellCommand: Command = {
  name: "tell",
  summary: "Send a message to a node without waiting for it to be handled",
  arguments: requestArguments,
  options: {
    ...requestOptions,
    durable: { help: "return only when the peer, a Roost node, has it on disk" },
    ...clientOptions,
  },
  example: `roost tell acme:EchoService:1.0.0 echo.EchoService.Echo --json '{"message":"hi"}' --durable`,

  async run(input: Input, world: World): Promise<number> {
    const durable = input.has("durable");
    await request(input, world, async ({ peer, ...bounds }, { id, route, method, payload }) => {
      const { lane: payloadType } = method;
      await peer.context.tell(id, route, payload, { ...bounds, payloadType, durable });
      world.out(JSON.stringify({ sent: true, durable }));
    });
    return 0;
  },
};

/** A request that is ready to be sent. */
interface Prepared {
  readonly id: ActrId;
  readonly route: string;
  readonly method: JsonMethod;
  readonly payload: Uint8Array;
}

async function request(
  input: Input,
  world: World,
  send: (client: Client, prepared: Prepared) => Promise<void>,
): Promise<void> {
  const [target = "", route = ""] = input.positionals;
  const json = jsonOf(input.value("json"));
  serviceOfRoute(route);
  const file = input.value("proto");
  const known = file === undefined ? undefined : await methodOfFile(file, route, world.cwd);
  await withClient(input, world, async (client) => {
    const id = await find(client, target);
    const method = known ?? (await methodOfPeer(client.peer, id, route, client));
    await send(client, { id, route, method, payload: method.encodeRequest(json) });
  });
}

function find({ peer, signal }: Client, target: Target): Promise<ActrId> {
  return peer.find(target, { signal });
}

function jsonOf(text = "{}"): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new Misuse(`--json is ${text}, which is no JSON: ${(error as Error).message}`);
  }
}
