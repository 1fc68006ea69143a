// The page's language: a switch, else what the browser asks for.
import { computed, effect, signal } from "@preact/signals";
import { kept, keep } from "../shell/kept";

export type Language = "en" | "ko";

function wanted(): Language {
  const chosen = kept("language");
  if (chosen === "en" || chosen === "ko") return chosen;
  return navigator.languages.some((l) => l.startsWith("ko")) ? "ko" : "en";
}

export const language = signal<Language>(wanted());

export function speak(to: Language): void {
  language.value = to;
  keep("language", to);
}

effect(() => {
  document.documentElement.lang = language.value;
});

/** What the other language has to say: the same keys, the same parameters. */
export type Same<T> = T extends string ? string : T extends (...a: infer A) => string ? (...a: A) => string : { readonly [K in keyof T]: Same<T[K]> };

/** Texts in both languages; tsc refuses a key that one of them lacks. Read them with `texts.value.key`. */
export function texts<T>(en: T, ko: Same<NoInfer<T>>) {
  return computed(() => (language.value === "ko" ? ko : (en as Same<T>)));
}
