/** A time (RFC 3339) as the reader's own clock and language have it. */
export function moment(at: string): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
