// Numbers as they are written in cells; sums and products come from Rust as text.

/** The shortest text that is this f32. */
export function exact(v: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(v.toPrecision(digits));
    if (Math.fround(text) === Math.fround(v)) return String(text);
  }
  return String(Number(v.toPrecision(9)));
}

/** Decimals that a field of numbers is written with: so many that its largest shows two or three digits. */
export function decimals(largest: number): number {
  if (!(largest > 0)) return 0;
  return Math.min(20, Math.max(0, (largest < 1 ? 1 : 2) - Math.floor(Math.log10(largest))));
}

/** A text of a field of numbers, all with the same decimals; whole numbers stay whole. */
export function fitted(v: number, places: number): string {
  if (v === 0) return "0";
  if (Math.abs(v) >= 1e6 || places > 5) return sign(v.toExponential(0).replace("e+", "e"));
  if (Number.isInteger(v)) return sign(String(v));
  const short = exact(v);
  const digits = short.split(".")[1]?.length ?? 0;
  const text = digits <= places && !short.includes("e") ? short : v.toFixed(places);
  // What rounds to 0 has no sign.
  return Number(text) === 0 ? text.replace("-", "") : sign(text);
}

/** A short text: at most three digits where it is not whole. */
export function brief(v: number): string {
  const whole = exact(v);
  if (whole.replace("-", "").length <= 4) return sign(whole);
  const size = Math.abs(v);
  if (size >= 1e6 || size < 1e-4) return sign(v.toExponential(0).replace("e+", "e"));
  if (size >= 1000) return sign(v.toFixed(0));
  return sign(String(Number(v.toPrecision(size < 0.1 ? 2 : 3))));
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
