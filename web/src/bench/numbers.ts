// Numbers as they are written in cells; sums and products come from Rust as text.

/** The shortest text that is this f32. */
export function exact(v: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(v.toPrecision(digits));
    if (Math.fround(text) === Math.fround(v)) return String(text);
  }
  return String(Number(v.toPrecision(9)));
}

/** A text that fits a cell: at most three digits where it is not whole. */
export function brief(v: number): string {
  const whole = exact(v);
  if (whole.replace("-", "").length <= 4) return sign(whole);
  const size = Math.abs(v);
  if (size >= 1e6 || size < 1e-4) return sign(v.toExponential(0).replace("e+", "e"));
  if (size >= 1000) return sign(v.toFixed(0));
  const rounded = String(Number(v.toPrecision(size < 0.1 ? 2 : 3)));
  return sign(rounded);
}

/** With a true minus sign. */
export const sign = (text: string): string => text.replace("-", "−");

/** A number that a person typed; a comma is a point, and any minus sign counts. */
export function read(text: string): number | null {
  const plain = text.trim().replace(/[−–]/, "-").replace(",", ".");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)) return null;
  const value = Math.fround(Number(plain));
  return Number.isFinite(value) ? value : null;
}

/** The largest size of numbers, for a colour scale around 0. */
export function largest(values: readonly number[]): number {
  let most = 0;
  for (const v of values) most = Math.max(most, Math.abs(v));
  return most;
}
