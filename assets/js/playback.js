// video[data-playback-url]: tells the server what is played, paused, skipped and left (xAPI video profile). What cannot be
// sent stays on this device and goes later; every moment has a number, so that the server takes each once.
import { behaviour, csrfToken } from "./page.js";

const PREFIX = "playback:";
const KEEP_DAYS = 30;
const SEND_EVERY = 5000;
const LONGEST_PAUSE = 300000;
const AT_ONCE = 50;
const DRAGGING = 800; // moving the handle seeks many times: one move is told

function kept(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function keep(key, record) {
  try {
    if (record?.moments.length) localStorage.setItem(key, JSON.stringify(record));
    else localStorage.removeItem(key);
  } catch {
    // a full or closed storage: what is in memory is sent all the same
  }
}

/** What the server reads: the moments with their age, so that a wrong clock does no harm. */
function bodyOf(record, moments) {
  const body = new FormData();
  const { session, registration, length, language, player } = record;
  const now = Date.now();
  const told = moments.map(({ at, ...moment }) => ({ ...moment, ago: Math.max(0, (now - at) / 1000) }));
  body.append("csrf_token", csrfToken());
  body.append("report", JSON.stringify({ session, registration, length, language, player, moments: told }));
  return body;
}

/** Send a record's moments until none is left; resolves to whether all arrived. Refused for good: forgotten. */
async function deliver(key, record) {
  while (record.moments.length) {
    const sent = record.moments.slice(0, AT_ONCE);
    let answer;
    try {
      answer = await fetch(record.url, { method: "POST", credentials: "same-origin", body: bodyOf(record, sent), keepalive: true });
    } catch {
      return false;
    }
    if (!answer.ok && ![404, 422].includes(answer.status)) return false;
    const last = answer.ok ? sent.at(-1).number : Infinity;
    record.moments = record.moments.filter((moment) => moment.number > last);
    keep(key, record);
  }
  return true;
}

function keys() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

function sendEarlier(registration) {
  for (const key of keys()) {
    const record = kept(key);
    if (!record || Date.now() - record.begun > KEEP_DAYS * 864e5) keep(key, null);
    else if (record.registration === registration) deliver(key, record);
  }
}

function playerOf(video) {
  const captions = [...video.textTracks].find((track) => track.mode === "showing");
  const box = video.getBoundingClientRect();
  const size = (width, height) => `${Math.max(1, Math.round(width))}x${Math.max(1, Math.round(height))}`;
  return {
    speed: `${Math.round(video.playbackRate * 100) / 100}x`,
    volume: video.muted ? 0 : Math.round(video.volume * 100) / 100,
    "full-screen": document.fullscreenElement === video,
    "cc-subtitle-enabled": Boolean(captions),
    ...(captions?.language ? { "cc-subtitle-lang": captions.language } : {}),
    "screen-size": size(screen.width, screen.height),
    "video-playback-size": size(box.width, box.height),
  };
}

behaviour("video[data-playback-url]", (video) => {
  const { playbackUrl: url, playbackOf: registration } = video.dataset;
  if (!window.crypto?.randomUUID) return; // plain http: nothing is recorded
  let record;
  let key;
  let number;
  let isBusy = false;
  let failures = 0;
  let waiting;
  let last = 0; // where the film was before a move
  let move; // { from, to, timer } while the handle is dragged
  let playsAfterMove = false;

  const length = () => (Number.isFinite(video.duration) ? video.duration : Number(video.dataset.playbackLength));
  const begin = () => {
    const session = crypto.randomUUID();
    record = { url, registration, session, length: length(), begun: Date.now(), moments: [] };
    if (video.lang) record.language = video.lang;
    record.player = playerOf(video);
    key = PREFIX + session;
    number = 0;
  };
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(send, Math.min(SEND_EVERY * 2 ** failures, LONGEST_PAUSE));
  };
  const send = async () => {
    if (isBusy || !record?.moments.length) return;
    isBusy = true;
    failures = (await deliver(key, record)) ? 0 : failures + 1;
    isBusy = false;
    if (record?.moments.length) later();
  };
  const tell = (step, time, more = {}) => {
    if (!(length() > 0)) return;
    if (!record) {
      if (step !== "played") return;
      begin();
    }
    number += 1;
    record.moments.push({ number, step, time, at: Date.now(), ...more });
    keep(key, record);
    if (record.moments.length === 1) later();
  };
  const endMove = () => {
    if (!move) return;
    clearTimeout(move.timer);
    const { from, to } = move;
    move = undefined;
    if (to !== undefined && Math.abs(to - from) > 0.5) tell("seeked", to, { time_from: from });
    if (playsAfterMove) tell("played", to ?? video.currentTime);
    playsAfterMove = false;
  };
  const leave = () => {
    endMove();
    if (!record) return;
    if (!video.paused && !video.ended) tell("paused", video.currentTime);
    tell("terminated", video.currentTime);
    // what does not arrive is still kept, and sent again from the next page with a film
    navigator.sendBeacon?.(url, bodyOf(record, record.moments.slice(0, AT_ONCE)));
    record = undefined;
    clearTimeout(waiting);
  };

  video.addEventListener("timeupdate", () => {
    if (!video.seeking && !move) last = video.currentTime;
  });
  video.addEventListener("seeking", () => {
    move ??= { from: last };
    clearTimeout(move.timer);
  });
  video.addEventListener("seeked", () => {
    last = video.currentTime;
    if (!move) return;
    move.to = last;
    move.timer = setTimeout(endMove, DRAGGING);
  });
  video.addEventListener("play", () => {
    if (move || video.seeking) playsAfterMove = true;
    else tell("played", video.currentTime);
  });
  video.addEventListener("pause", () => {
    if (move && playsAfterMove) playsAfterMove = false;
    else tell("paused", move ? move.from : video.currentTime);
  });
  addEventListener("pagehide", leave);
  addEventListener("online", () => {
    failures = 0;
    send();
    sendEarlier(registration);
  });
  document.addEventListener("visibilitychange", () => document.hidden && send());
  sendEarlier(registration);
});
