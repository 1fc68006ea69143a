// Digits of MNIST, from the page's own files: pixels, 784 bytes a digit, then the labels, a byte each.

export interface Digits {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export const SIDE = 28;
const BYTES = SIDE * SIDE + 1;

/** The bytes of a file of the page, with how many have come so far. */
async function bytes(url: string, came: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status}`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    came(size);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Files are compressed by gzip, unless the server has undone that. */
async function unpacked(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (data[0] !== 0x1f || data[1] !== 0x8b) return data;
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The digits in a file. */
export async function digits(url: string, came: (bytes: number) => void = () => {}): Promise<Digits> {
  const data = await unpacked(await bytes(url, came));
  const count = data.length / BYTES;
  if (!Number.isInteger(count)) throw new Error(`${url}: ${data.length} bytes`);
  const cut = count * SIDE * SIDE;
  return { pixels: data.subarray(0, cut), labels: data.subarray(cut) };
}

/** Several files' digits as one. */
export function joined(parts: readonly Digits[]): Digits {
  const join = (arrays: Uint8Array[]) => {
    const all = new Uint8Array(arrays.reduce((n, a) => n + a.length, 0));
    let at = 0;
    for (const array of arrays) {
      all.set(array, at);
      at += array.length;
    }
    return all;
  };
  return { pixels: join(parts.map((p) => p.pixels)), labels: join(parts.map((p) => p.labels)) };
}
