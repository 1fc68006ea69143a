// Light or dark: what the system says, until a person switches.
import { effect, signal } from "@preact/signals";
import { keep, kept } from "./kept";

export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = kept("theme");

const own = signal<Theme | null>(chosen === "light" || chosen === "dark" ? chosen : null);
const around = signal<Theme>(system.matches ? "dark" : "light");
system.addEventListener("change", () => (around.value = system.matches ? "dark" : "light"));

export const theme = (): Theme => own.value ?? around.value;

export function turn(): void {
  own.value = theme() === "dark" ? "light" : "dark";
  keep("theme", own.value);
}

effect(() => {
  if (own.value) document.documentElement.dataset.theme = own.value;
});

const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** Whether a person asked for less motion. */
export const reduced = signal(calm.matches);
calm.addEventListener("change", () => (reduced.value = calm.matches));
