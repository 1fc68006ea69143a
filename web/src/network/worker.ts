// Runs models in a worker, so that the page stays responsive. Answers each message with one that has the same id.
import { load } from "../wasm/load";
import { Network } from "../wasm/pkg/foveal";
import type { Calls, Call, Sight } from "./calls";

let network: Network | undefined;

function sight(net: Network, looked: ReturnType<Network["lookAt"]>, layers: number): Sight {
  if (looked.kind === "refused") return { looked, raw: new Float32Array(), values: [] };
  return { looked, raw: net.raw(), values: Array.from({ length: layers + 1 }, (_, v) => net.value(v)) };
}

let layers = 0;

const calls: { [K in keyof Calls]: (net: Network, ...a: Parameters<Calls[K]>) => ReturnType<Calls[K]> } = {
  open(net, bytes, name) {
    const opened = net.open(bytes, name);
    if (opened.kind === "opened") layers = opened.description.layers.length;
    return opened;
  },
  lookAt: (net, pixels, height, width, channels) => sight(net, net.lookAt(pixels, height, width, channels), layers),
  lookInto: (net, bytes, name) => sight(net, net.lookInto(bytes, name), layers),
  parameter: (net, index) => net.parameter(index),
  cell: (net, value, [row, column, channel]) => net.cell(value, row, column, channel) ?? null,
  gradCam: (net, of, value) => net.gradCam(of ?? undefined, value ?? undefined) ?? null,
};

const ready = load();

addEventListener("message", async ({ data }: MessageEvent<{ id: number; call: Call; args: never[] }>) => {
  const { id, call, args } = data;
  try {
    await ready;
    network ??= new Network();
    const answer = (calls[call] as (net: Network, ...a: never[]) => unknown)(network, ...args);
    postMessage({ id, answer });
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
});
