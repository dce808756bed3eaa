/**
 * Server-Sent Events from a response's text (WHATWG HTML, 9.2.6). EventSource would forget the last event's id with the
 * page and can't tell a 404 from a lost connection, so the page reads the stream itself.
 */

export interface Message {
  id: string | null;
  event: string;
  data: string;
}

export class EventStreamParser {
  private rest = "";
  private id: string | null = null;
  private event = "";
  private data: string[] = [];

  /** The messages that are complete with this piece of text. */
  push(text: string): Message[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.line(line));
  }

  private line(line: string): Message[] {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return [];
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return [];
  }

  private dispatch(): Message[] {
    const { id, event, data } = this;
    this.event = "";
    this.data = [];
    this.id = null;
    return data.length > 0 ? [{ id, event: event || "message", data: data.join("\n") }] : [];
  }
}
