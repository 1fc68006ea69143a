// The training view's state, and its worker.
import { signal } from "@preact/signals";
import { go } from "../shell/route";
import * as network from "../network/state";
import type { Scores } from "../wasm/pkg/foveal";
import { HELD, PART, type Ask, type Filters, type Format, type Point, type Say } from "./messages";

export type Phase = "idle" | "loading" | "paused" | "running" | "finished";

/** Digits that can be trained on, in thousands, and their size in megabytes as they are fetched. */
export const AMOUNTS = [
  { digits: 10_000, megabytes: 1.6 },
  { digits: 20_000, megabytes: 3.2 },
  { digits: 60_000, megabytes: 9.7 },
] as const;

export const MOST_EPOCHS = 10;

export const phase = signal<Phase>("idle");
export const amount = signal<number>(20_000);
export const epochs = signal(3);
export const rate = signal(0.01);
export const came = signal(0);
export const total = signal(0);
export const perEpoch = signal(1);
export const done = signal(0);
export const epoch = signal(1);
export const stepRate = signal(0);
export const speed = signal(0);
/** The steps' own loss and accuracy. */
export const steps = signal<readonly Point[]>([]);
/** Loss and accuracy on the digits that are held out. */
export const judgements = signal<readonly Point[]>([]);
export const filters = signal<Filters>([]);
export const scores = signal<Scores | null>(null);
export const judged = signal<Scores | null>(null);
export const judging = signal(false);
export const diverged = signal(false);
export const broken = signal<string | null>(null);

let worker: Worker | undefined;

function tell(ask: Ask): void {
  if (!worker) {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Say>) => hear(data));
    worker.addEventListener("error", (event) => {
      broken.value = event.message;
      phase.value = "idle";
      worker = undefined;
    });
  }
  worker.postMessage(ask);
}

let wanted: "run" | "step" = "run";
let toNetwork = false;

/** Points that curves keep: when there are more, neighbours become one. */
const KEPT = 600;

function added(old: readonly Point[], more: readonly Point[]): readonly Point[] {
  let all = [...old, ...more];
  if (all.length > 2 * KEPT) {
    all = Array.from({ length: Math.floor(all.length / 2) }, (_, i) => {
      const [a, b] = [all[2 * i]!, all[2 * i + 1]!];
      return { step: b.step, loss: (a.loss + b.loss) / 2, accuracy: (a.accuracy + b.accuracy) / 2 };
    });
  }
  return all;
}

function hear(said: Say): void {
  switch (said.say) {
    case "loading":
      came.value = said.bytes;
      return;
    case "begun":
      total.value = said.total;
      perEpoch.value = said.perEpoch;
      filters.value = said.filters;
      phase.value = "paused";
      tell({ ask: wanted });
      return;
    case "progress":
      done.value = said.done;
      epoch.value = said.epoch;
      stepRate.value = said.lr;
      speed.value = said.seconds > 0 ? said.digits / said.seconds : 0;
      filters.value = said.filters;
      steps.value = added(steps.peek(), said.points);
      return;
    case "scores":
      scores.value = said.scores;
      judgements.value = [...judgements.peek().filter((p) => p.step !== said.done), { step: said.done, loss: said.scores.loss, accuracy: said.scores.accuracy }];
      return;
    case "running":
      if (phase.peek() !== "finished") phase.value = said.running ? "running" : "paused";
      return;
    case "finished":
      phase.value = "finished";
      return;
    case "diverged":
      diverged.value = true;
      return;
    case "judged":
      judging.value = false;
      judged.value = said.scores;
      return;
    case "file":
      if (toNetwork) {
        toNetwork = false;
        void network.open(said.bytes, "trained-here.safetensors");
        go(network.VIEW);
      } else save(said.bytes, `foveal-mnist.${said.format}`);
      return;
    case "broken":
      broken.value = said.text;
      judging.value = false;
      phase.value = "idle";
  }
}

function save(bytes: Uint8Array, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes as BlobPart], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function begin(then: "run" | "step"): void {
  wanted = then;
  [steps.value, judgements.value, scores.value, judged.value] = [[], [], null, null];
  [done.value, epoch.value, came.value, broken.value, diverged.value] = [0, 1, 0, null, false];
  phase.value = "loading";
  const plan = { epochs: epochs.peek(), lr: rate.peek(), held: HELD, seed: 1 };
  tell({ ask: "begin", base: document.baseURI, parts: amount.peek() / PART, plan });
}

export function play(): void {
  diverged.value = false;
  if (phase.peek() === "idle" || phase.peek() === "finished") begin("run");
  else if (phase.peek() === "running") tell({ ask: "pause" });
  else if (phase.peek() === "paused") tell({ ask: "run" });
}

export function stepOn(): void {
  diverged.value = false;
  if (phase.peek() === "idle") begin("step");
  else if (phase.peek() === "paused") tell({ ask: "step" });
}

export function startOver(): void {
  if (phase.peek() === "idle" || phase.peek() === "loading") return;
  tell({ ask: "pause" });
  [steps.value, judgements.value, scores.value, judged.value, filters.value] = [[], [], null, null, []];
  [done.value, total.value, epoch.value, diverged.value] = [0, 0, 1, false];
  phase.value = "idle";
}

export function setRate(lr: number): void {
  rate.value = lr;
  if (phase.peek() === "running" || phase.peek() === "paused") tell({ ask: "rate", lr });
}

export function judgeAll(): void {
  judging.value = true;
  judged.value = null;
  tell({ ask: "judge" });
}

export function download(format: Format): void {
  tell({ ask: "file", format });
}

/** Opens the model as it is now in the network view. */
export function tryIt(): void {
  toNetwork = true;
  tell({ ask: "file", format: "safetensors" });
}
