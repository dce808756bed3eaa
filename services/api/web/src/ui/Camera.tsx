import { useEffect, useRef, useState } from "preact/hooks";
import { snapshot } from "../io/picture";
import { Alert } from "./Alert";

interface Props {
  onPicture: (picture: Blob | null) => void;
  onClose: () => void;
}

export function Camera({ onPicture, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [ready, setReady] = useState(false);
  const [refused, setRefused] = useState(false);

  useEffect(() => {
    let stream: MediaStream | null = null;
    let gone = false;
    dialog.current?.showModal();
    navigator.mediaDevices
      .getUserMedia({ video: { facingMode: "environment" } })
      .then((opened) => {
        stream = opened;
        if (gone) stopAll(opened);
        else if (video.current) video.current.srcObject = opened;
      })
      .catch(() => setRefused(true));
    return () => {
      gone = true;
      if (stream) stopAll(stream);
    };
  }, []);

  const take = async () => {
    if (video.current) onPicture(await snapshot(video.current));
    onClose();
  };
  return (
    <dialog ref={dialog} onClose={onClose} aria-label="Camera">
      {refused ? (
        <Alert>
          The camera can't be used. Allow it in the browser's settings for this page, or choose a file.
        </Alert>
      ) : (
        <video ref={video} autoplay playsInline muted onLoadedData={() => setReady(true)} />
      )}
      <div class="row">
        <button type="button" class="primary" disabled={!ready} onClick={() => void take()}>
          Take the picture
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
