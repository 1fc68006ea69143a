// The state in the address: `#VIEW/STATE`. Each view writes and reads its own STATE.
import { signal } from "@preact/signals";

export interface Route {
  readonly view: string;
  readonly state: string;
}

function read(): Route {
  let hash = location.hash.slice(1);
  try {
    hash = decodeURIComponent(hash);
  } catch {
    // Not well-formed: the view gets it as it is, and will refuse it.
  }
  const cut = hash.indexOf("/");
  return cut < 0 ? { view: hash, state: "" } : { view: hash.slice(0, cut), state: hash.slice(cut + 1) };
}

/** Where the page is. */
export const route = signal<Route>(read());

addEventListener("hashchange", () => {
  const next = read();
  if (next.view !== route.value.view || next.state !== route.value.state) route.value = next;
});

const address = (view: string, state: string): string => `#${view}${state ? `/${state}` : ""}`;

/** Goes to a view, as a step that the browser's back button undoes. */
export function go(view: string, state = ""): void {
  if (route.value.view === view && route.value.state === state) return;
  history.pushState(null, "", address(view, state));
  route.value = { view, state };
}

/** Writes the state of the view that is shown into the address, in place of what was there. */
export function note(view: string, state: string): void {
  if (route.value.view === view && route.value.state === state) return;
  try {
    history.replaceState(null, "", address(view, state));
  } catch {
    // Browsers refuse more than about a hundred changes in half a minute; the next change will be written.
    return;
  }
  route.value = { view, state };
}
