/* The board: says when it lost contact, rings when allowed, counts in the title. */
(() => {
  "use strict";
  const LOST_AFTER_MS = 15000;
  const doc = document;
  const veil = doc.getElementById("sin-conexion");
  const board = () => doc.getElementById("tablero");
  const title = doc.title;
  const hour = new Intl.DateTimeFormat("es-CL", {
    timeZone: "America/Santiago",
    timeStyle: "medium",
    hourCycle: "h23",
  });

  /* Contact. The veil is put up by the browser alone: the server cannot say it is away. */
  let contact = performance.now();
  let contactAt = portal.now();
  const lost = () => doc.body.classList.contains("is-offline");
  const drawAll = () => {
    const { full } = board().dataset;
    if (full) htmx.ajax("GET", full, { target: "#tablero", swap: "outerMorph" });
  };
  const touch = () => {
    contact = performance.now();
    contactAt = portal.now();
    if (unsaved.size) save();
    if (!lost()) return;
    doc.body.classList.remove("is-offline");
    veil.hidden = true;
    drawAll();
  };
  const watch = () => {
    if (!board() || lost() || performance.now() - contact < LOST_AFTER_MS) return;
    doc.body.classList.add("is-offline");
    veil.querySelector("time").textContent = hour.format(contactAt);
    veil.hidden = false;
  };
  doc.addEventListener("htmx:after:request", (event) => {
    const { response } = event.detail.ctx;
    if (response && response.status < 400) touch();
  });

  /* A card that is what it was comes empty: what is on the screen stays, and with it
     what is open, typed or focused there. */
  htmx.registerExtension("same", {
    htmx_before_morph_node: (_element, { newNode }) => !newNode.matches?.("[data-same]"),
  });

  /* Sound, once somebody allowed it: each new data-alert key rings once. */
  let audio = null;
  let rung = null;
  const beep = (at, pitch) => {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0.3, at);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.35);
    tone.connect(gain).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.35);
  };
  /* One ring at a time: what comes while it sounds rings once more after it. */
  const RING_MS = 1000;
  let ringing = 0;
  let again = false;
  const ring = () => {
    if (!audio) return;
    if (ringing) {
      again = true;
      return;
    }
    beep(audio.currentTime, 880);
    beep(audio.currentTime + 0.4, 1175);
    ringing = setTimeout(() => {
      ringing = 0;
      if (again) ring((again = false));
    }, RING_MS);
  };
  const keys = () => [...doc.querySelectorAll("[data-alert]")].map((el) => el.dataset.alert);
  const refresh = () => {
    const present = keys();
    if (rung && present.some((key) => !rung.has(key))) ring();
    rung = new Set(present);
    const waiting = Number(board()?.dataset.waiting);
    doc.title = waiting ? `(${waiting}) ${title}` : title;
  };
  const showSound = () => {
    doc.querySelectorAll("[data-sound]").forEach((button) => {
      button.setAttribute("aria-pressed", String(Boolean(audio)));
    });
  };
  doc.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-sound]")) return;
    if (audio) {
      audio.close();
      audio = null;
    } else {
      audio = new AudioContext();
      await audio.resume();
      ring();
    }
    showSound();
  });
  doc.addEventListener("htmx:after:swap", (event) => {
    refresh();
    showSound();
    fill();
    /* An empty card that found nothing here to leave as it was. */
    if (board()?.querySelector("[data-same], article:not([id])")) drawAll();
    /* Who won is said on the card, which the next poll draws anew: say it longer. */
    const { response, target } = event.detail.ctx;
    const lost = response?.status === 409 && doc.getElementById(target.id);
    if (lost) portal.say(lost.querySelector("[role=alert]").textContent.trim());
  });

  /* What is typed and not sent lies on the server, a second after the last key: it
     outlives a reload, and follows its technician to another screen. */
  const DRAFT_MS = 1000;
  const unsaved = new Map();
  const seen = new WeakSet();
  let saving;
  const boxOf = (area) => area.closest("form[data-box]");
  const save = (keepalive) => {
    clearTimeout(saving);
    unsaved.forEach((text, box) => {
      const [id, act] = box.split("/");
      const token = doc.querySelector("[name=csrf_token]").value;
      const body = new URLSearchParams({ act, text, csrf_token: token });
      unsaved.delete(box);
      fetch(`/tablero/${id}/borrador`, { method: "POST", body, keepalive })
        .then((answer) => answer.status < 500 || Promise.reject())
        .catch(() => unsaved.has(box) || unsaved.set(box, text));
    });
  };
  const fill = () => {
    doc.querySelectorAll("form[data-draft]").forEach((form) => {
      const area = form.elements.text;
      if (!area.value && !seen.has(area)) {
        area.value = form.dataset.draft;
        form.closest("details").open = true;
      }
      seen.add(area);
    });
  };
  doc.addEventListener("input", (event) => {
    const form = event.target.matches("textarea") && boxOf(event.target);
    if (!form) return;
    seen.add(event.target);
    unsaved.set(form.dataset.box, event.target.value);
    clearTimeout(saving);
    saving = setTimeout(save, DRAFT_MS);
  });
  doc.addEventListener("submit", (event) => unsaved.delete(event.target.dataset.box), true);
  addEventListener("pagehide", () => save(true));

  /* A canned solution goes into the box; the list stands empty again. */
  doc.addEventListener("change", (event) => {
    if (!event.target.matches("[data-canned]")) return;
    const { form, selectedOptions } = event.target;
    const area = form.elements.text;
    const { text } = selectedOptions[0].dataset;
    if (text) area.value = [area.value.trim(), text].filter(Boolean).join("\n");
    event.target.value = "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  });

  fill();
  refresh();
  setInterval(watch, 500);
})();
