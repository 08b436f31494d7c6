/* Ticks countdowns, answers taps, copies, shares. The server decides all else. */
(() => {
  "use strict";
  const doc = document;
  const all = (selector, act) => doc.querySelectorAll(selector).forEach(act);

  /* The server's instant minus our own clock, which nobody can set. The largest sighting
     had the shortest way; a far one means a moved clock. */
  let offset;
  let wall = Date.now() - performance.now();
  const observe = (server, at) => {
    const seen = server - at;
    offset = Math.abs(seen - offset) < 3000 ? Math.max(seen, offset) : seen;
  };
  const now = () => performance.now() + offset;

  const pad = (number) => String(number).padStart(2, "0");
  const show = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    if (minutes < 100) return `${pad(minutes)}:${pad(seconds % 60)}`;
    const hours = Math.floor(minutes / 60);
    const days = Math.floor(hours / 24);
    if (!days) return `${hours}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
    return `${days} ${days === 1 ? "día" : "días"} y ${hours % 24} h`;
  };
  const tick = () => {
    all("time.countdown[data-now]", (time) => {
      const left = Math.ceil((Date.parse(time.dateTime) - now()) / 1000);
      const late = left < 0 && "late" in time.dataset;
      const sign = "up" in time.dataset ? "" : "−";
      const text = late ? sign + show(-left) : show(Math.max(left, 0));
      if (time.textContent !== text) time.textContent = text;
      const bar = time.parentNode.querySelector("progress");
      if (bar) bar.value = Math.max(left, 0);
    });
  };

  /* In sleep our clock may stand still; what polls is asked at once. */
  const wake = () => {
    const moved = Date.now() - performance.now() - wall;
    wall += moved;
    if (moved > 1500) offset += moved;
    tick();
    if (!doc.hidden) doc.body.dispatchEvent(new Event("resync"));
  };

  /* A tap shows before the network answers; a second one sends nothing. */
  const pressed = new Set();
  const busy = (button) => {
    if (!button) return;
    pressed.add(button);
    button.setAttribute("aria-busy", "true");
  };
  const calm = () => {
    pressed.forEach((button) => button.removeAttribute("aria-busy"));
    pressed.clear();
    all("form[data-sent]", (form) => delete form.dataset.sent);
  };
  const notice = doc.getElementById("aviso");
  let quiet;
  const say = (text, stays) => {
    notice.textContent = text;
    clearTimeout(quiet);
    quiet = stays || setTimeout(() => say(lost ? AWAY : "", 1), 4000);
  };

  /* Without a network the page stays as it is, typed words too, and says so. */
  const AWAY = "Sin conexión. Lo que ve puede haber cambiado.";
  let lost = false;
  const lose = (now) => {
    if (now !== lost) say(now ? AWAY : "", 1);
    lost = now;
  };
  const stopped = (event) => {
    if (navigator.onLine) return false;
    event.preventDefault();
    say("Sin conexión. No se envió nada: intente al volver.");
    lost = true;
    return true;
  };
  addEventListener("offline", () => lose(true));
  addEventListener("online", () => lose(false));

  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || stopped(event)) return;
    if ("sent" in form.dataset) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    busy(event.submitter);
  });

  /* What may not be copied for the customer is chosen, to be copied by hand. */
  const choose = (id) => {
    const text = doc.getElementById(id);
    const fold = text.closest("details");
    if (fold) fold.open = true;
    getSelection().selectAllChildren(text);
    say("No se pudo copiar. Manténgalo apretado y elija Copiar.");
  };

  doc.addEventListener("click", async (event) => {
    const target = event.target.closest("[data-copy], [data-share], a.btn");
    if (!target) return;
    const { copy, share } = target.dataset;
    if (copy) {
      try {
        await navigator.clipboard.writeText(copy);
      } catch {
        return choose(target.dataset.shown);
      }
      const label = target.lastElementChild;
      const before = label.textContent;
      say((label.textContent = "Copiado"));
      setTimeout(() => (label.textContent = before), 2000);
    } else if (share) {
      navigator.share({ url: share }).catch(({ name }) => {
        if (name !== "AbortError") say("No se pudo compartir. Puede copiarlo.");
      });
    } else if (target.origin === location.origin && !target.hash && !event.defaultPrevented && !stopped(event)) {
      busy(target);
    }
  });

  const dress = () => {
    const hide = (button) => (button.hidden = true);
    if (!navigator.share) all("[data-share]", hide);
    tick();
  };

  let lastHidden = 0;
  doc.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (!doc.hidden || !polls(ctx.sourceElement)) return;
    if ("always" in ctx.sourceElement.dataset) return;
    if (performance.now() - lastHidden < 15000) event.preventDefault();
    else lastHidden = performance.now();
  });
  doc.addEventListener("htmx:after:request", (event) => {
    const server = Number(event.detail.ctx.response?.headers.get("X-Now"));
    if (!server) return;
    observe(server, performance.now());
    lose(false);
  });
  const polls = (element) => element?.matches("[hx-trigger*=every]");
  const failed = (text) => (event) => {
    const { response, sourceElement } = event.detail.ctx || {};
    if (!polls(sourceElement)) [409, 422].includes(response?.status) || say(text);
    else if (!response && !("always" in sourceElement.dataset)) lose(true);
  };
  doc.addEventListener("htmx:error", failed("Sin conexión. Intente otra vez."));
  doc.addEventListener("htmx:response:error", failed("No se pudo. Recargue la página."));
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
