// The bench's state: a setting, its result, and the selected cell. Everything is computed by Rust.
import { batch, computed, signal } from "@preact/signals";
import { note, route } from "../shell/route";
import {
  benchCell,
  benchDecode,
  benchEncode,
  benchFill,
  benchLimits,
  benchPresets,
  benchReshape,
  benchRun,
  type Answer,
  type Cell,
  type Pattern,
  type Setting,
} from "../wasm/pkg/foveal";

export const VIEW = "bench";
export const limits = benchLimits();
export const presets = benchPresets();
const codes = new Map(presets.map((p) => [benchEncode(p.setting), p.key]));

export type At = readonly [number, number, number];

export const setting = signal<Setting>(presets[0]!.setting);
export const outcome = computed(() => benchRun(setting.value));
export const answer = computed<Answer | null>(() => (outcome.value.kind === "fits" ? outcome.value.answer : null));
const asked = signal<At>([0, 0, 0]);
/** The selected output cell, within the output. */
export const at = computed<At>(() => {
  const shape = answer.value?.shape ?? [1, 1, 1];
  const [h, w, c] = asked.value;
  return [Math.min(h, shape[0] - 1), Math.min(w, shape[1] - 1), Math.min(c, shape[2] - 1)];
});
/** The cell that a setting begins with: the first, or of a large output the middle, where there is something to see. */
const first = computed<At>(() => {
  const [h, w] = answer.value?.shape ?? [1, 1];
  return h > 6 && w > 6 ? [Math.floor(h / 2), Math.floor(w / 2), 0] : [0, 0, 0];
});
export const cell = computed<Cell | undefined>(() => (answer.value ? benchCell(setting.value, ...at.value) : undefined));
const text = computed(() => benchEncode(setting.value));
/** The preset that the setting is, if it is one. */
export const preset = computed(() => codes.get(text.value) ?? null);
/** The state as it stands in a link. */
export const link = computed(() => {
  const place = at.value.some((v, i) => v !== first.value[i]) ? `;at=${at.value.join(",")}` : "";
  return (preset.value ? `preset=${preset.value}` : text.value) + place;
});
/** Whether the link that was opened could not be read. */
export const misread = signal(false);

/** Selects a cell. */
export function look(where: At): void {
  if (where.some((v, i) => v !== at.peek()[i])) asked.value = where;
}

/** Changes parts of the setting. */
export function change(parts: Partial<Setting>): void {
  setting.value = { ...setting.peek(), ...parts };
}

export function choose(key: string): void {
  const found = presets.find((p) => p.key === key);
  if (!found) return;
  batch(() => {
    setting.value = found.setting;
    asked.value = first.peek();
    misread.value = false;
  });
}

/** One number of the input or of the filters. */
export function put(which: "values" | "weights", index: number, value: number): void {
  const numbers = [...setting.peek()[which]];
  numbers[index] = value;
  change({ [which]: numbers });
}

/** Other extents; numbers that have a place keep it. */
export function reshape(parts: { input?: Setting["input"]; kernel?: Setting["kernel"]; filters?: number }): void {
  const { input, kernel, filters } = { ...setting.peek(), ...parts };
  setting.value = benchReshape(setting.peek(), Uint32Array.of(...input, ...kernel, filters));
}

export function fill(pattern: Pattern): void {
  setting.value = benchFill(setting.peek(), pattern, Math.floor(Math.random() * 2 ** 32));
}

/** Reads the state of a link; an empty one is the first preset. */
export function open(state: string): void {
  const cut = state.lastIndexOf(";at=");
  const [what, place] = cut < 0 ? [state, ""] : [state.slice(0, cut), state.slice(cut + 4)];
  const named = what.startsWith("preset=") ? presets.find((p) => p.key === what.slice(7))?.setting : undefined;
  const found = state === "" ? presets[0]!.setting : (named ?? benchDecode(what));
  const cell = place === "" ? [0, 0, 0] : place.split(",").map(Number);
  const sound = cell.length === 3 && cell.every((v) => Number.isInteger(v) && v >= 0);
  batch(() => {
    setting.value = found ?? presets[0]!.setting;
    asked.value = sound && place !== "" ? (cell as unknown as At) : first.peek();
    misread.value = !found || !sound;
  });
}

/** Writes the state into the address when it has come to rest. */
export function remember(): () => void {
  let timer = 0;
  const stop = link.subscribe((state) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (route.peek().view === VIEW || route.peek().view === "") note(VIEW, state);
    }, 250);
  });
  return () => (clearTimeout(timer), stop());
}
