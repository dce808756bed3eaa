const KNOWN = ["happy", "angry", "sad", "calm"];

/** An emotion's colours as CSS variables; emotions of one's own get a hue from their name. */
export function accent(emotion: string | null): Record<string, string> {
  if (emotion === null) return {};
  if (KNOWN.includes(emotion))
    return { "--accent": `var(--${emotion})`, "--accent-soft": `var(--${emotion}-soft)` };
  const hue = [...emotion].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
  return {
    "--accent": `hsl(${hue} var(--other))`,
    "--accent-soft": `hsl(${hue} var(--other) / 0.15)`,
  };
}
