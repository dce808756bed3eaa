import { useEffect, useRef, useState } from "preact/hooks";
import type { Note } from "../domain/midi";
import { boxOf, momentOf, type Roll, rollFor, timeAt, xAt } from "../domain/roll";

interface Props {
  notes: Note[];
  seconds: number;
  position: number;
  onSeek: (seconds: number) => void;
}

const HEIGHT = 220;
const C = 12;

/** The notes, drawn as they are played. The slider below says the same to keyboards and screen readers. */
export function PianoRoll({ notes, seconds, position, onSeek }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const onScheme = () => setDark(scheme.matches);
    scheme.addEventListener("change", onScheme);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", onScheme);
    };
  }, []);

  // in another scheme the colours read below are others
  useEffect(() => {
    const element = canvas.current;
    if (element && width > 0) draw(element, rollFor(notes, seconds, width, HEIGHT), notes, position);
  }, [notes, seconds, position, width, dark]);

  const seek = (event: PointerEvent) => {
    const element = event.currentTarget as HTMLCanvasElement;
    const roll = rollFor(notes, seconds, element.clientWidth, HEIGHT);
    onSeek(timeAt(roll, event.clientX - element.getBoundingClientRect().left));
  };
  return (
    <canvas
      ref={canvas}
      class="roll"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        seek(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons > 0) seek(event);
      }}
    />
  );
}

function draw(element: HTMLCanvasElement, roll: Roll, notes: readonly Note[], position: number): void {
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(roll.width * scale), Math.round(roll.height * scale)];
  if (element.width !== width || element.height !== height) {
    element.width = width;
    element.height = height;
  }
  const pen = element.getContext("2d");
  if (!pen) return;
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, roll.width, roll.height);
  const row = roll.height / (roll.highest - roll.lowest + 1);
  pen.fillStyle = colour("--line");
  for (let pitch = Math.ceil(roll.lowest / C) * C; pitch <= roll.highest; pitch += C) {
    pen.fillRect(0, (roll.highest - pitch + 1) * row, roll.width, 1);
  }
  const colours = { past: colour("--accent"), now: colour("--ink"), future: colour("--future") };
  for (const note of notes) {
    const box = boxOf(roll, note);
    pen.fillStyle = colours[momentOf(note, position)];
    pen.globalAlpha = 0.45 + (0.55 * note.velocity) / 127;
    pen.beginPath();
    pen.roundRect(box.x, box.y, box.width, box.height, Math.min(2, box.width / 2, box.height / 2));
    pen.fill();
  }
  pen.globalAlpha = 1;
  const x = Math.min(roll.width - 1, Math.max(1, xAt(roll, position)));
  pen.fillStyle = colour("--ink");
  pen.fillRect(x - 1, 0, 2, roll.height);
  pen.beginPath();
  pen.arc(x, 5, 5, 0, 2 * Math.PI);
  pen.fill();
}
