import type { WebRtcSettings } from "../../../adapters/serve/webrtc.ts";
import { Misuse } from "../misuse.ts";
import type { Settings } from "./settings.ts";

/** The settings that say how WebRTC finds its paths. */
type IceSettings = Pick<
  Settings,
  "stunUrls" | "turnUrls" | "relayOnly" | "webrtcPorts" | "webrtcPortStart" | "webrtcPortEnd"
>;

type PortRange = NonNullable<Settings["webrtcPorts"]>;

/** Settings as the options of WebRTC: who says how paths are found wants it, unless told otherwise. @throws Misuse for settings that do not go together. */
export function webRtcSettings(
  settings: IceSettings & Pick<Settings, "webrtc">,
): Pick<WebRtcSettings, "webrtc" | "ice"> {
  const { stunUrls, turnUrls, relayOnly } = settings;
  const portRange = portRangeOf(settings);
  const ice = {
    ...(stunUrls === undefined ? {} : { stunUrls }),
    ...(turnUrls === undefined ? {} : { turnUrls }),
    ...(relayOnly === undefined ? {} : { relayOnly }),
    ...(portRange === undefined ? {} : { portRange }),
  };
  const asked = Object.keys(ice).length > 0;
  const { webrtc = asked } = settings;
  if (!webrtc) return {};
  if (relayOnly === true && (turnUrls ?? []).length === 0) {
    throw new Misuse(
      "relays alone are to be used, but none is named; add webrtc.turn_urls or --turn",
    );
  }
  return { webrtc, ice };
}

/** All settings but those of WebRTC. */
export function withoutWebRtc(settings: Settings): Omit<Settings, "webrtc" | keyof IceSettings> {
  const { webrtc, stunUrls, turnUrls, relayOnly, ...others } = settings;
  const { webrtcPorts, webrtcPortStart, webrtcPortEnd, ...rest } = others;
  return rest;
}

function portRangeOf({
  webrtcPorts,
  webrtcPortStart: min,
  webrtcPortEnd: max,
}: IceSettings): PortRange | undefined {
  if (webrtcPorts !== undefined) return webrtcPorts;
  if (min === undefined && max === undefined) return undefined;
  if (min !== undefined && max !== undefined && min < max) return { min, max };
  throw new Misuse(
    `webrtc.port_range_start is ${min} and webrtc.port_range_end ${max}; give both, the start below the end`,
  );
}
