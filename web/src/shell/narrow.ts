// Whether the window is as narrow as a phone; the same bound as in the styles.
import { signal } from "@preact/signals";

const phone = matchMedia("(max-width: 640px)");

export const narrow = signal(phone.matches);
phone.addEventListener("change", () => (narrow.value = phone.matches));
