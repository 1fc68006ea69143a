// Colours of values, as the theme has them.
import { computed } from "@preact/signals";
import { theme } from "../shell/theme";

type Rgb = readonly [number, number, number];

/** What a colour of the page's is, in numbers. */
function resolved(name: string): Rgb {
  const probe = document.createElement("canvas");
  probe.width = probe.height = 1;
  const pen = probe.getContext("2d", { willReadFrequently: true });
  const holder = document.createElement("span");
  holder.style.color = `var(${name})`;
  document.body.append(holder);
  const color = getComputedStyle(holder).color;
  holder.remove();
  if (!pen) return [128, 128, 128];
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  const [r = 0, g = 0, b = 0] = pen.getImageData(0, 0, 1, 1).data;
  return [r, g, b];
}

export interface Palette {
  readonly below: Rgb;
  readonly zero: Rgb;
  readonly above: Rgb;
  readonly ink: Rgb;
}

export const palette = computed<Palette>(() => {
  // Follows the switch and the system.
  theme();
  return { below: resolved("--below-full"), zero: resolved("--zero"), above: resolved("--above-full"), ink: resolved("--ink") };
});

function mix(data: Uint8ClampedArray, at: number, from: Rgb, to: Rgb, t: number): void {
  for (let i = 0; i < 3; i++) data[at + i] = from[i]! + (to[i]! - from[i]!) * t;
  data[at + 3] = 255;
}

/** Blue below 0, orange above, by the share of `most`. */
export function signed(data: Uint8ClampedArray, at: number, v: number, most: number, colors: Palette): void {
  const t = most > 0 ? Math.min(1, Math.abs(v) / most) : 0;
  mix(data, at, colors.zero, v < 0 ? colors.below : colors.above, t);
}

/** Ink on paper: `t` from 0 to 1. */
export function inked(data: Uint8ClampedArray, at: number, t: number, colors: Palette): void {
  mix(data, at, colors.zero, colors.ink, Math.min(1, Math.max(0, t)));
}

/** The largest size of finite numbers. */
export function mostOf(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}
