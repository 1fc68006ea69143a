// What the page and the worker that trains say to each other.
import type { Plan, Scores } from "../wasm/pkg/foveal";

/** The parameters that are drawn while they change. */
export const DRAWN = ["conv2d_1.filter", "conv2d_2.filter"] as const;
/** Digits that are held out. */
export const HELD = 1000;
/** Digits in each of the page's training files, and how many files there are. */
export const PART = 10_000;

export type Ask =
  | { readonly ask: "begin"; readonly base: string; readonly parts: number; readonly plan: Plan }
  | { readonly ask: "run" }
  | { readonly ask: "pause" }
  | { readonly ask: "step" }
  | { readonly ask: "rate"; readonly lr: number }
  | { readonly ask: "judge" }
  | { readonly ask: "file"; readonly format: Format };

export type Format = "safetensors" | "onnx";

/** A step as the curves show it. */
export interface Point {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

export type Say =
  | { readonly say: "loading"; readonly bytes: number; readonly parts: number }
  | { readonly say: "begun"; readonly total: number; readonly perEpoch: number; readonly filters: Filters }
  | { readonly say: "progress"; readonly points: readonly Point[]; readonly done: number; readonly epoch: number; readonly lr: number; readonly digits: number; readonly seconds: number; readonly filters: Filters }
  | { readonly say: "scores"; readonly done: number; readonly scores: Scores }
  | { readonly say: "running"; readonly running: boolean }
  | { readonly say: "finished" }
  | { readonly say: "diverged" }
  | { readonly say: "judged"; readonly scores: Scores }
  | { readonly say: "file"; readonly format: Format; readonly bytes: Uint8Array }
  | { readonly say: "broken"; readonly text: string };

export type Filters = readonly Float32Array[];
