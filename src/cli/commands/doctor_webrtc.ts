import type { Command, Input, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { checkWebRtc, webRtcStacks } from "../webrtc_check.ts";

/** The process in which `roost doctor` tries one WebRTC library. */
export const doctorWebRtcCommand: Command = {
  name: "doctor-webrtc",
  summary: "Try one WebRTC library for roost doctor",
  hidden: true,
  arguments: { usage: "PACKAGE", least: 1, most: 1 },
  options: {},
  example: "roost doctor",

  async run(input: Input, world: World): Promise<number> {
    const [name = ""] = input.positionals;
    const stack = Object.hasOwn(webRtcStacks, name) ? webRtcStacks[name] : undefined;
    if (stack === undefined) {
      throw new Misuse(`${name} is none of ${Object.keys(webRtcStacks).join(", ")}`);
    }
    world.out(JSON.stringify(await checkWebRtc(name, stack)));
    return 0;
  },
};
