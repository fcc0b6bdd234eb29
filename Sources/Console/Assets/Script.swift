/// The one script. Every page works without it; it only spares reloading.
///
/// - `data-get`, `data-swap`, `data-every`: fetch a page of ours again every so many seconds while it is looked at, and
///   put the part that the selector names in the place of this one.
/// - `data-sse`, `data-on`: listen; `log` events are appended, `change` events fetch `data-get` again.
/// - `data-key`: a key that does the same as a click on this, where nobody is writing.
/// - `data-confirm`: ask before a form is sent. `data-auto`: send a form when a choice changes.
enum Script {
    static let source = #"""
        'use strict';
        (() => {
          const root = document.documentElement;
          root.classList.add('scripted');
          const live = new Map();

          const isBusy = (element) =>
            // Swapping under the caret, the focus or a choice would take it away.
            element.contains(document.activeElement) ||
            element.querySelector('input[type=checkbox]:checked') !== null;

          async function refresh(element) {
            if (element.dataset.loading || isBusy(element)) return;
            element.dataset.loading = 'yes';
            try {
              const answer = await fetch(element.dataset.get, { credentials: 'same-origin', redirect: 'manual' });
              if (answer.type === 'opaqueredirect') { location.reload(); return; }
              if (!answer.ok) return;
              const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
              const fresh = page.querySelector(element.dataset.swap);
              if (!fresh || isBusy(element)) return;
              const open = [...element.querySelectorAll('details')].map((d) => d.open);
              fresh.querySelectorAll('details').forEach((d, i) => { d.open = open[i] ?? d.open; });
              const ended = !fresh.dataset.get;
              stop(element);
              element.replaceWith(fresh);
              if (ended) { settle(page); } else { start(fresh); }
            } catch { /* The next turn tries again. */ } finally { delete element.dataset.loading; }
          }

          // A job that ended: what stood outside the swapped part is fetched once more.
          function settle(page) {
            const main = page.querySelector('main');
            const log = document.querySelector('pre.log');
            const at = log && log.scrollTop;
            if (!main) return;
            for (const element of [...live.keys()]) stop(element);
            document.querySelector('main').replaceWith(main);
            const again = document.querySelector('pre.log');
            if (again && at !== null) again.scrollTop = at;
            startAll();
          }

          function listen(element) {
            let url = element.dataset.sse;
            if (element.dataset.end) {
              const next = new URL(url, location.href);
              next.searchParams.set('from', element.dataset.end);
              url = next.pathname + next.search;
            }
            const source = new EventSource(url);
            const kind = element.dataset.on;
            let waiting = 0;
            source.addEventListener(kind, (event) => {
              if (kind === 'log') {
                append(element, JSON.parse(event.data));
                element.dataset.end = event.lastEventId;
              } else if (!waiting) {
                waiting = setTimeout(() => { waiting = 0; refresh(element); }, 250);
              }
            });
            source.addEventListener('end', () => source.close());
            source.addEventListener('error', (event) => { if (event.data) source.close(); });
            return source;
          }

          function append(element, text) {
            const follows = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
            element.append(text);
            while (element.textContent.length > 2000000 && element.childNodes.length > 1) element.firstChild.remove();
            if (follows) element.scrollTop = element.scrollHeight;
          }

          function start(element) {
            if (live.has(element) || document.hidden) return;
            const entry = {};
            if (element.dataset.every) entry.timer = setInterval(() => refresh(element), element.dataset.every * 1000);
            if (element.dataset.sse) entry.source = listen(element);
            live.set(element, entry);
          }

          function stop(element) {
            const entry = live.get(element);
            if (!entry) return;
            clearInterval(entry.timer);
            if (entry.source) entry.source.close();
            live.delete(element);
          }

          function startAll() {
            document.querySelectorAll('[data-every], [data-sse]').forEach(start);
          }

          document.addEventListener('visibilitychange', () => {
            if (document.hidden) { for (const element of [...live.keys()]) stop(element); return; }
            document.querySelectorAll('[data-get]').forEach(refresh);
            startAll();
          });
          document.addEventListener('submit', (event) => {
            const question = event.target.dataset.confirm;
            if (!question) return;
            if (!confirm(question)) { event.preventDefault(); return; }
            // The server asks again unless it hears that somebody was asked.
            const answer = document.createElement('input');
            Object.assign(answer, { type: 'hidden', name: 'sure', value: 'yes' });
            event.target.append(answer);
          });
          document.addEventListener('change', (event) => {
            const form = event.target.closest('form[data-auto]');
            if (form) form.requestSubmit();
          });
          document.addEventListener('keydown', (event) => {
            if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
            if (event.target.matches('textarea, select, input:not([type=checkbox])')) return;
            const target = [...document.querySelectorAll('[data-key]')].find((e) => e.dataset.key === event.key);
            if (!target) return;
            event.preventDefault();
            target.click();
          });
          const log = document.querySelector('pre.log');
          if (log) log.scrollTop = log.scrollHeight;
          startAll();
        })();

        """#
}
