"use strict";
(() => {
  const root = document.documentElement;
  const all = (query) => [...document.querySelectorAll(query)];
  function speak(language) {
    root.lang = language;
    for (const e of all("[data-en]")) e.textContent = e.getAttribute("data-" + language);
    for (const e of all("[data-label]")) {
      e.setAttribute(e.getAttribute("data-label"), e.getAttribute("data-label-" + language));
    }
    for (const b of all("[data-language]")) b.setAttribute("aria-pressed", b.dataset.language === language);
  }
  for (const b of all("[data-language]")) b.addEventListener("click", () => speak(b.dataset.language));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.querySelector(".theme").addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
})();
