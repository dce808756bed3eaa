import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { pictureIn } from "../io/picture";
import { Camera } from "./Camera";

interface Props {
  picture: Blob | null;
  onPicture: (file: Blob | null) => void;
  onRemove: () => void;
}

/** Takes a picture by drop, click, paste (heard by the page) or camera, and shows it. */
export function PictureZone({ picture, onPicture, onRemove }: Props) {
  const [over, setOver] = useState(false);
  const [camera, setCamera] = useState(false);
  const capture = useRef<HTMLInputElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const url = useMemo(() => (picture ? URL.createObjectURL(picture) : null), [picture]);
  useEffect(
    () => () => {
      if (url) URL.revokeObjectURL(url);
    },
    [url],
  );

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onPicture(pictureIn(event.dataTransfer));
  };
  const pick = (event: Event) => {
    const chooser = event.currentTarget as HTMLInputElement;
    onPicture(chooser.files?.[0] ?? null);
    // so that the same file can be chosen again
    chooser.value = "";
  };
  const openCamera = () => {
    if ("mediaDevices" in navigator) setCamera(true);
    else capture.current?.click();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is for the mouse; the buttons inside do the same
    <div
      class={`zone${over ? " over" : ""}${picture ? " filled" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input ref={input} id="picture" class="unseen" type="file" accept="image/*" onChange={pick} />
      {/* only opened by the camera's button, where the browser shows no video to pages */}
      <input ref={capture} type="file" accept="image/*" capture="environment" hidden onChange={pick} />
      {url ? (
        <>
          <img src={url} alt="The one you chose" />
          <div class="row">
            <label class="button" for="picture">
              Another picture
            </label>
            <button type="button" onClick={onRemove}>
              Remove it
            </button>
          </div>
        </>
      ) : (
        <>
          <label class="invitation" for="picture">
            <Frame />
            <strong>Drop a picture here</strong>
            <span>or click to choose one, or paste it</span>
          </label>
          <div class="row">
            <label class="button" for="picture">
              Choose a picture
            </label>
            <button type="button" onClick={openCamera}>
              Use the camera
            </button>
          </div>
        </>
      )}
      {camera && <Camera onPicture={onPicture} onClose={() => setCamera(false)} />}
    </div>
  );
}

function Frame() {
  return (
    <svg viewBox="0 0 64 48" width="64" height="48" aria-hidden="true" class="frame">
      <rect x="1.5" y="1.5" width="61" height="45" rx="7" />
      <circle cx="46" cy="15" r="5" />
      <path d="M6 39l15-17 11 12 7-7 19 16" />
    </svg>
  );
}
