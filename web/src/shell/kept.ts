// Choices that the browser remembers. Where it refuses to, they are forgotten with the page.
export function kept(key: string): string | null {
  try {
    return localStorage.getItem(`foveal.${key}`);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`foveal.${key}`, value);
  } catch {
    // Private windows refuse; the choice lasts as long as the page.
  }
}
