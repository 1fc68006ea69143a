// The network view's state: the model, the picture, what was made of it, the selected cell.
import { computed, effect, signal } from "@preact/signals";
import { note, route } from "../shell/route";
import type { Cam, Description, Made, Unopened } from "../wasm/pkg/foveal";
import { ask, type At, type Sight } from "./calls";
import { digits, SIDE, type Digits } from "./digits";

export const VIEW = "network";

export interface Model {
  readonly description: Description;
  /** The file's name; none for the model that the page brings. */
  readonly file: string | null;
}

/** What the model looks at. */
export type Picture =
  | { readonly kind: "digit"; readonly index: number }
  | { readonly kind: "drawing"; readonly pixels: Uint8Array; readonly height: number; readonly width: number }
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly name: string };

export interface Place {
  readonly value: number;
  readonly at: At;
}

export const model = signal<Model | null>(null);
/** Why a model file was refused, and its name. */
export const refused = signal<{ refusal: Unopened; name: string } | null>(null);
/** Why a picture was refused. */
export const unseen = signal<{ text: string; name: string } | null>(null);
/** An unexpected error. */
export const broken = signal<string | null>(null);
export const picture = signal<Picture | null>(null);
export const sight = signal<Sight | null>(null);
export const samples = signal<Digits | null>(null);
export const place = signal<Place | null>(null);
export const made = signal<Made | null>(null);
/** Whether Grad-CAM is shown, of which class (null: the likeliest), in which maps (null: the last). */
export const camOn = signal(false);
export const camClass = signal<number | null>(null);
export const camValue = signal<number | null>(null);
export const cam = signal<Cam | null>(null);
/** The numbers of parameters that are drawn, by index. */
export const parameters = signal<ReadonlyMap<number, Float32Array>>(new Map());

export const answer = computed(() => {
  const looked = sight.value?.looked;
  return looked?.kind === "seen" ? looked.answer : null;
});

/** The shape of a value: 0 is the input, `v` layer `v - 1`. */
export function shapeOf(of: Description, v: number): At {
  return v === 0 ? of.input : (of.layers[v - 1]?.shape ?? [0, 0, 0]);
}

export const nameOf = (of: Description, v: number): string => (v === 0 ? "input" : (of.layers[v - 1]?.name ?? ""));

const fail = (error: unknown): void => {
  broken.value = String(error);
};

// Questions are asked one at a time; of those that come in meanwhile only the last is asked.
let busy = false;
let again = false;

async function look(): Promise<void> {
  const now = picture.peek();
  if (!model.peek() || !now) return;
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    const seen = await looked(now);
    if (seen && seen.looked.kind === "seen") {
      sight.value = seen;
      unseen.value = null;
      await Promise.all([explain(), heat()]);
    } else if (seen && seen.looked.kind === "refused") {
      unseen.value = { text: seen.looked.text, name: now.kind === "file" ? now.name : "" };
    }
  } catch (error) {
    fail(error);
  }
  busy = false;
  if (again) {
    again = false;
    await look();
  }
}

async function looked(now: Picture): Promise<Sight | null> {
  if (now.kind === "drawing") return ask("lookAt", now.pixels, now.height, now.width, 1);
  if (now.kind === "file") return ask("lookInto", now.bytes, now.name);
  const all = samples.peek();
  if (!all) return null;
  return ask("lookAt", all.pixels.slice(now.index * SIDE * SIDE, (now.index + 1) * SIDE * SIDE), SIDE, SIDE, 1);
}

async function explain(): Promise<void> {
  const at = place.peek();
  made.value = at ? await ask("cell", at.value, at.at) : null;
}

async function heat(): Promise<void> {
  cam.value = camOn.peek() ? await ask("gradCam", camClass.peek(), camValue.peek()) : null;
}

/** Shows a picture to the model. */
export function show(next: Picture): void {
  picture.value = next;
  if (route.peek().view === VIEW) note(VIEW, next.kind === "digit" ? `digit-${next.index}` : "");
  void look();
}

/** Selects a cell. */
export function into(next: Place | null): void {
  place.value = next;
  explain().catch(fail);
}

/** Shows or hides Grad-CAM, or sets its class or maps. */
export function seek(change: { on?: boolean; of?: number | null; value?: number | null }): void {
  if (change.on !== undefined) camOn.value = change.on;
  if (change.of !== undefined) camClass.value = change.of;
  if (change.value !== undefined) camValue.value = change.value;
  heat().catch(fail);
}

/** Fetches the numbers of a parameter, to be drawn. */
export function fetchParameter(index: number): void {
  if (parameters.peek().has(index)) return;
  ask("parameter", index).then((numbers) => {
    parameters.value = new Map(parameters.peek()).set(index, numbers);
  }, fail);
}

/** Whether a model is open or on its way. */
let given = false;

/** Opens a model file; the one that was open stays if it is refused. */
export async function open(bytes: Uint8Array, file: string | null): Promise<void> {
  given = true;
  try {
    const opened = await ask("open", bytes, file ?? "mnist.safetensors");
    if (opened.kind === "refused") {
      refused.value = { refusal: opened.refusal, name: file ?? "" };
      return;
    }
    refused.value = null;
    parameters.value = new Map();
    place.value = null;
    made.value = null;
    sight.value = null;
    cam.value = null;
    camClass.value = null;
    camValue.value = null;
    model.value = { description: opened.description, file };
    await look();
  } catch (error) {
    fail(error);
  }
}

const own = (path: string): string => new URL(path, document.baseURI).href;

/** Opens the model that the page brings. */
export async function openOwn(): Promise<void> {
  try {
    const response = await fetch(own("models/mnist.safetensors"));
    if (!response.ok) throw new Error(`models/mnist.safetensors: ${response.status}`);
    await open(new Uint8Array(await response.arrayBuffer()), null);
  } catch (error) {
    fail(error);
  }
}

/** A file that a person chose or dropped: a model by its name, else a picture. */
export async function take(file: File): Promise<void> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isModel = /\.(safetensors|onnx|pt|pth|h5|keras|bin)$/i.test(file.name);
  if (isModel) await open(bytes, file.name);
  else show({ kind: "file", bytes, name: file.name });
}

let begun = false;

/** Loads what the view begins with, once. */
export function begin(): void {
  if (begun) return;
  begun = true;
  if (!given) void openOwn();
  digits(own("digits/few.bin")).then((all) => {
    samples.value = all;
    const asked = /^digit-(\d+)$/.exec(route.peek().state);
    const index = asked ? Math.min(Number(asked[1]), all.labels.length - 1) : 0;
    if (!picture.peek()) show({ kind: "digit", index });
    else void look();
  }, fail);
  // A link within the page, or the browser's buttons.
  effect(() => {
    const { view, state } = route.value;
    const asked = view === VIEW ? /^digit-(\d+)$/.exec(state) : null;
    const index = asked ? Number(asked[1]) : null;
    const now = picture.peek();
    const count = samples.peek()?.labels.length ?? 0;
    if (index !== null && index < count && (now?.kind !== "digit" || now.index !== index)) show({ kind: "digit", index });
  });
}
