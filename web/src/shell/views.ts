// The views, in the order of the tabs. A view is loaded when it is first shown. Its names stand in texts/shell.ts.
import type { ComponentType } from "preact";
import type { shell } from "../texts/shell";

export type ViewKey = keyof typeof shell.value.view;

export interface View {
  readonly key: ViewKey;
  readonly load: () => Promise<{ default: ComponentType }>;
}

export const views: readonly View[] = [
  { key: "bench", load: () => import("../bench") },
  { key: "network", load: () => import("../network") },
  { key: "train", load: () => import("../train") },
];
