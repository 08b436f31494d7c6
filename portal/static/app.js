/* Ticks countdowns, answers taps at once, copies and shares. The server decides all else. */
(() => {
  "use strict";
  const doc = document;
  const all = (selector, act) => doc.querySelectorAll(selector).forEach(act);

  /* The server's clock: its instant minus ours, by a local clock that nobody can set. Of
     several sightings the largest had the shortest way; a far one means a moved clock. */
  let offset;
  let wall = Date.now() - performance.now();
  const observe = (server, at) => {
    const seen = server - at;
    offset = Math.abs(seen - offset) < 3000 ? Math.max(seen, offset) : seen;
  };
  const now = () => performance.now() + offset;

  const pad = (number) => String(number).padStart(2, "0");
  const show = (seconds) => {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    if (hours >= 24) {
      const days = Math.floor(hours / 24);
      return `${days} ${days === 1 ? "día" : "días"} y ${hours % 24} h`;
    }
    const clock = `${pad(minutes)}:${pad(seconds % 60)}`;
    return hours ? `${hours}:${clock}` : clock;
  };
  const tick = () => {
    all("time.countdown[data-now]", (time) => {
      const left = Math.ceil((Date.parse(time.dateTime) - now()) / 1000);
      const late = left < 0 && "late" in time.dataset;
      const text = late ? `−${show(-left)}` : show(Math.max(left, 0));
      if (time.textContent !== text) time.textContent = text;
      const bar = time.parentNode.querySelector("progress");
      if (bar) bar.value = Math.max(left, 0);
    });
  };

  /* After sleep the local clock may have stood still; what polls is asked at once. */
  const wake = () => {
    const moved = Date.now() - performance.now() - wall;
    wall += moved;
    if (moved > 1500) offset += moved;
    tick();
    if (!doc.hidden) doc.body.dispatchEvent(new Event("resync"));
  };

  /* A tap is answered before the network is; a second tap sends nothing. */
  const busy = (button) => button?.setAttribute("aria-busy", "true");
  const calm = () => {
    all("[aria-busy=true]", (button) => {
      button.removeAttribute("aria-busy");
      button.disabled = false;
    });
    all("form[data-sent]", (form) => delete form.dataset.sent);
  };
  let quiet;
  const say = (text) => {
    doc.getElementById("aviso").textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => (doc.getElementById("aviso").textContent = ""), 4000);
  };

  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if ("sent" in form.dataset) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    busy(event.submitter);
  });

  doc.addEventListener("click", async (event) => {
    const target = event.target.closest("[data-copy], [data-share], a.btn");
    if (!target) return;
    const { copy, share, title } = target.dataset;
    if (copy) {
      const label = target.lastElementChild;
      const before = label.textContent;
      await navigator.clipboard.writeText(copy);
      say((label.textContent = "Copiado"));
      setTimeout(() => (label.textContent = before), 2000);
    } else if (share) {
      navigator.share({ url: share, title }).catch(() => {});
    } else if (target.origin === location.origin && !target.hash && !event.defaultPrevented) {
      busy(target);
    }
  });

  const dress = () => {
    if (!navigator.share) all("[data-share]", (button) => (button.hidden = true));
    if (!navigator.clipboard) all("[data-copy]", (button) => (button.hidden = true));
    tick();
  };

  let lastHidden = 0;
  doc.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (!doc.hidden || !ctx.sourceElement.matches('[hx-trigger*="every"]:not([data-always])')) return;
    if (performance.now() - lastHidden < 15000) event.preventDefault();
    else lastHidden = performance.now();
  });
  doc.addEventListener("htmx:after:request", (event) => {
    const server = Number(event.detail.ctx.response?.headers.get("X-Now"));
    if (server) observe(server, performance.now());
  });
  doc.addEventListener("htmx:error", (event) => {
    const { sourceElement } = event.detail.ctx || {};
    if (!sourceElement?.matches('[hx-trigger*="every"]')) say("Sin conexión. Intente otra vez.");
  });
  doc.addEventListener("htmx:after:swap", dress);
  doc.addEventListener("visibilitychange", wake);
  addEventListener("focus", wake);
  addEventListener("pageshow", (event) => {
    calm();
    if (!event.persisted) return;
    if (doc.querySelector("main[data-order], [data-live]")) location.reload();
    else wake();
  });

  const [entry] = performance.getEntriesByType("navigation");
  observe(Date.parse(doc.body.dataset.now), entry ? entry.responseStart : performance.now());
  window.portal = { now, say };
  dress();
  setInterval(tick, 250);
  all("form[data-autosubmit]", (form) => form.requestSubmit());
})();
