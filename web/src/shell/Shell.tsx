import { effect, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentType } from "preact";
import { language, speak } from "../texts/language";
import { shell } from "../texts/shell";
import { load } from "../wasm/load";
import { go, route } from "./route";
import { theme, turn } from "./theme";
import { views } from "./views";

const shown = () => views.find((v) => v.key === route.value.view) ?? views[0]!;

effect(() => {
  document.title = `${shell.value.title[shown().key]} · foveal`;
});

function Mark() {
  return (
    <a class="mark" href="#" translate={false} onClick={(e) => (e.preventDefault(), go(views[0]!.key))}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="8" />
        <circle cx="10" cy="10" r="3" />
      </svg>
      foveal
    </a>
  );
}

function Languages() {
  return (
    <div class="switch" role="group" aria-label={shell.value.language}>
      {(["en", "ko"] as const).map((l) => (
        <button type="button" lang={l} data-language={l} aria-pressed={language.value === l} onClick={() => speak(l)}>
          {l === "en" ? "English" : "한국어"}
        </button>
      ))}
    </div>
  );
}

function ThemeButton() {
  const other = theme() === "dark" ? "light" : "dark";
  return (
    <button type="button" class="theme" data-theme-switch aria-label={shell.value.theme[other]} title={shell.value.theme[other]} onClick={turn}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="7.5" />
        <path d="M10 2.5a7.5 7.5 0 0 1 0 15z" />
      </svg>
    </button>
  );
}

function Bar() {
  return (
    <header class="bar">
      <Mark />
      <nav class="tabs" aria-label={shell.value.views}>
        {views.map((v) => (
          <a
            href={`#${v.key}`}
            aria-current={shown().key === v.key ? "page" : undefined}
            onClick={(e) => {
              e.preventDefault();
              if (shown().key !== v.key) go(v.key);
            }}
          >
            {shell.value.view[v.key]}
          </a>
        ))}
      </nav>
      <Languages />
      <ThemeButton />
    </header>
  );
}

/** The bar, the view that the address names, and the foot. */
export function Shell() {
  const loaded = useSignal<{ key: string; view: ComponentType } | null>(null);
  const broken = useSignal<string | null>(null);
  useSignalEffect(() => {
    const { key, load: view } = shown();
    if (loaded.peek()?.key === key) return;
    // Views may call the module from their first line on.
    const arriving = load().then(view);
    arriving.then(
      (module) => {
        if (shown().key !== key) return;
        // Another view begins at its top.
        if (loaded.peek()) scrollTo(0, 0);
        loaded.value = { key, view: module.default };
      },
      (error: unknown) => (broken.value = String(error)),
    );
  });
  const Current = loaded.value?.view;
  return (
    <>
      <a class="skip" href="#content" onClick={(e) => (e.preventDefault(), document.getElementById("content")?.focus())}>
        {shell.value.skip}
      </a>
      <Bar />
      <main id="content" tabIndex={-1}>
        {broken.value !== null ? (
          <p class="notice" role="alert">
            {shell.value.broken(broken.value)}
          </p>
        ) : Current ? (
          <Current />
        ) : (
          <p class="loading">{shell.value.loading}</p>
        )}
      </main>
      <footer>
        <span>{shell.value.footer}</span>
      </footer>
    </>
  );
}
