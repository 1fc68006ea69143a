import { signal } from "@preact/signals";

/** The term of the arithmetic under the pointer, by its place among the terms. */
export const pointed = signal<number | null>(null);
