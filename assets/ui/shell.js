// What all pages share: the bar at the top, an address that follows what one does, the hall, and keys.
const dgm = window.dgm = {
  // A value, fetched where it was only named: first results are stored beside the page.
  async fetched(value) {
    if (!value?.stored) return value;
    const reply = await fetch(`${dgm.root()}/${value.stored}`);
    return reply.ok ? (await reply.json()).values[value.number] : null;
  },
  // The link of what a view shows, in the clipboard, or where there is none in the address bar; the button says which.
  async copy(link, button) {
    let copied = true;
    try { await navigator.clipboard.writeText(dgm.address(link)); } catch (error) { copied = false; }
    dgm.here(link);
    button.textContent = copied ? 'copied' : 'it is in the address bar';
    setTimeout(() => { button.textContent = 'copy link'; }, 1800);
  },
  // Whether the address asks a view for more than what everybody finds there, whose link this is: then its own result is on its way.
  awaits(link) {
    const wanted = new URLSearchParams(location.search), mine = new URLSearchParams(link);
    return mine.get('tab') === wanted.get('tab') && [...wanted.keys()].some((name) => name !== 'tab' && mine.has(name));
  },
  mount: {},  // of each component of our own, what makes it live
  links: {},  // of each view, what it shows now: its address -> the query that opens that
  root() { return new URL(window.gradio_config?.root || location.href, location.href).href.replace(/\/$/, ''); },
  source(picture) { return picture.startsWith('data:') ? picture : `${dgm.root()}/${picture}`; },
  path() { return `${location.origin}${location.pathname}`; },
  address(query) { return dgm.path() + query; },

  // The view in sight, by its address.
  view() {
    const chosen = [...document.querySelectorAll('.dgm-views > .tab-wrapper [role=tab][aria-selected=true]')].find((tab) => tab.offsetParent || tab.closest('.tabs').offsetParent);
    return chosen?.dataset.tabId || '';
  },
  // A view shows what this query opens. The address says so if that view is in sight, and if somebody asked for it.
  here(query, asked = true) {
    const view = new URLSearchParams(query).get('tab');
    if (!asked) { dgm.links[view] ??= query; return; }
    dgm.links[view] = query;
    dgm.asked.add(view);
    if (view === dgm.view()) history.replaceState({ dgm: true }, '', location.pathname + query + dgm.hallMark());
  },
  // Another tab or view: a step of history.
  moved() {
    const view = dgm.view(), at = new URLSearchParams(location.search).get('tab');
    if (!view || view === at) return;
    history.pushState({ dgm: true }, '', location.pathname + dgm.state(view) + dgm.hallMark());
  },
  state(view) { return dgm.asked.has(view) ? dgm.links[view] : `?tab=${view}`; },
  asked: new Set(),  // views that show what somebody asked for
  hallMark() { return document.body.classList.contains('dgm-hall') ? '&hall=1' : ''; },
  hall(on = !document.body.classList.contains('dgm-hall')) {
    document.body.classList.toggle('dgm-hall', on);
    document.body.classList.remove('dgm-knobs');
    if (on) { dgm.wasDark = document.body.classList.contains('dark'); document.body.classList.add('dark'); } else if (!dgm.wasDark) document.body.classList.remove('dark');
    const chosen = (rows) => [...document.querySelectorAll(`${rows} > .tab-wrapper [role=tab][aria-selected=true]`)].find((tab) => tab.closest('.tabs').offsetParent)?.textContent.trim();
    document.body.dataset.title = [...new Set([chosen('.dgm-tabs'), chosen('.dgm-views')])].filter(Boolean).join(': ');
    const url = new URL(location.href);
    if (on) url.searchParams.set('hall', '1'); else url.searchParams.delete('hall');
    history.replaceState(history.state, '', url);
    dgm.look();
  },
  theme(dark = !document.body.classList.contains('dark'), kept = true) {
    document.body.classList.toggle('dark', dark);
    if (kept) try { localStorage.setItem('dgm-theme', dark ? 'dark' : 'light'); } catch (error) { /* then it lasts as long as the page */ }
    dgm.look();
  },
  // Whether a pad holds ink, dark on white where the page is light, or a picture that stays as it is.
  ink(pad, written) { document.querySelector(`#${pad} .dgm-sketch`)?.toggleAttribute('data-photo', !written); dgm.look(); },
  look() { requestAnimationFrame(() => { dispatchEvent(new Event('dgm-look')); dgm.formulas(); }); },
  // A formula wider than its column is set smaller rather than cut.
  formulas() {
    for (const formula of document.querySelectorAll('.dgm-card .katex-display')) {
      if (!formula.offsetParent) continue;
      formula.style.fontSize = '';
      for (let size = 0.94; size > 0.5 && formula.scrollWidth > formula.clientWidth + 1; size -= 0.04) formula.style.fontSize = `${size}em`;
    }
  },
  help(on) {
    let box = document.querySelector('.dgm-help');
    if (!box) {
      box = Object.assign(document.createElement('div'), { className: 'dgm-help', hidden: true });
      box.setAttribute('role', 'dialog');
      box.setAttribute('aria-label', 'keys');
      const keys = [['h', 'the hall: the result over the whole window'], ['space', 'play, pause'], ['← →', 'a step back, a step on'], ['Home, End', 'to the start, to the end'], ['n', 'another seed'], ['s', 'the same again'], ['f', 'the whole screen'], ['+ −', 'faster, slower'], ['k', 'the knobs, in the hall'], ['?', 'this list'], ['Esc', 'back']];
      box.innerHTML = `<dl>${keys.map(([key, what]) => `<dt>${key}</dt><dd>${what}</dd>`).join('')}</dl>`;
      box.addEventListener('click', () => dgm.help(false));
      document.body.appendChild(box);
    }
    box.hidden = on === undefined ? !box.hidden : !on;
  },
};

function bar() {
  const nav = document.querySelector('.nav-holder nav');
  if (!nav || nav.querySelector('.dgm-brand')) return;
  const brand = Object.assign(document.createElement('span'), { className: 'dgm-brand', innerHTML: 'p<sub>θ</sub>(x)' });
  brand.setAttribute('aria-hidden', 'true');
  nav.prepend(brand);
  const tools = Object.assign(document.createElement('span'), { className: 'dgm-bar' });
  for (const [name, said, act] of [['hall', 'the result over the whole window (h)', () => dgm.hall()], ['theme', 'light or dark', () => dgm.theme()], ['?', 'keys', () => dgm.help()]]) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: name, title: said, onclick: (event) => { act(); event.target.blur(); } });
    tools.appendChild(button);
  }
  nav.append(tools);
}
// What the address names is opened as soon as it is there, before the server says the same.
let opened = false;
function selectNamed() {
  const view = new URLSearchParams(location.search).get('tab');
  if (!opened && view) opened = select(view);
}
// Choose a view by its address; whether its tab is on this page.
function select(view) {
  const find = (row, id) => document.querySelector(`.${row} > .tab-wrapper [role=tab][data-tab-id="${CSS.escape(id)}"]`);
  const choose = (tab) => { if (tab && tab.getAttribute('aria-selected') !== 'true') tab.click(); };
  const outer = find('dgm-tabs', view.split('.')[0]);
  choose(outer);
  setTimeout(() => choose(find('dgm-views', view)), 30);  // once the tab is there
  return Boolean(outer);
}
let themed = false, settled = null;
new MutationObserver(() => {
  bar();
  selectNamed();
  clearTimeout(settled);
  settled = setTimeout(dgm.formulas, 300);
  if (themed || !document.querySelector('.gradio-container')) return;
  themed = true;
  let kept = null;
  try { kept = localStorage.getItem('dgm-theme'); } catch (error) { /* a browser that keeps nothing */ }
  if (kept) dgm.theme(kept === 'dark', false);
}).observe(document.documentElement, { childList: true, subtree: true });
document.fonts?.addEventListener('loadingdone', () => dgm.formulas());  // formulas are as wide as their letters

// A tab or a view was chosen: what is in it is fitted to the window; and the address follows a person, not what follows the address.
const chosen = (byPerson) => setTimeout(() => { if (byPerson) dgm.moved(); dgm.look(); }, 60);
document.addEventListener('click', (event) => { if (event.target.closest('[role=tab]')) chosen(event.isTrusted); });
addEventListener('popstate', () => {
  const query = location.search, view = new URLSearchParams(query).get('tab');
  if (!view || dgm.state(view) !== query.replace('&hall=1', '') || !select(view)) location.reload();
});

// Arrows on a tab choose the next one, as people who have no mouse expect.
document.addEventListener('keydown', (event) => {
  const tab = event.target.closest?.('[role=tab]');
  if (!tab || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
  const all = [...tab.parentElement.querySelectorAll('[role=tab]')], next = all[all.indexOf(tab) + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); next.click(); chosen(true); }
});

// A slider that is moved by a key, and a number that ends with Enter, are let go as by the pointer.
document.addEventListener('keyup', (event) => {
  if (event.target.matches?.('input[type=range]:not(.scrub)') && /^(Arrow|Home|End|Page)/.test(event.key)) {
    clearTimeout(event.target.dgmPause);
    event.target.dgmPause = setTimeout(() => event.target.dispatchEvent(new PointerEvent('pointerup', { bubbles: true })), 350);
  }
});
// A number beyond the limits of its slider is the limit, as the page shows it.
document.addEventListener('blur', (event) => {
  const range = event.target.matches?.('input[type=number]') && event.target.closest('.block')?.querySelector('input[type=range]');
  if (!range || event.target.value === '') return;
  const kept = Math.max(Number(range.min), Math.min(Number(range.max), Number(event.target.value)));
  if (kept === Number(event.target.value)) return;
  event.target.value = kept;
  event.target.dispatchEvent(new Event('input', { bubbles: true }));
}, true);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.target.matches?.('input[type=number]') && event.target.closest('.block')?.querySelector('input[type=range]')) {
    event.target.blur();
    event.target.focus();
  }
});

const visible = (selector) => [...document.querySelectorAll(selector)].find((each) => each.offsetParent !== null);
document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.('input, select, textarea, [contenteditable=true], [role=listbox]') && event.key !== 'Escape') return;
  const keys = {
    h: () => dgm.hall(),
    n: () => visible('.dgm-another')?.click(),
    s: () => { visible('.dgm-player [data-act=restart]')?.click(); visible('.dgm-player [data-act=play]')?.click(); },
    f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.()),
    k: () => document.body.classList.contains('dgm-hall') && document.body.classList.toggle('dgm-knobs'),
    '?': () => dgm.help(),
    Escape: () => { if (document.querySelector('.dgm-help:not([hidden])')) dgm.help(false); else if (visible('.dgm-player .zoom')) visible('.dgm-player .zoom').click(); else if (document.body.classList.contains('dgm-knobs')) document.body.classList.remove('dgm-knobs'); else if (document.body.classList.contains('dgm-hall')) dgm.hall(false); },
  };
  const pace = { '+': 1, '=': 1, '-': -1 }[event.key];
  if (pace) {
    const speed = visible('.dgm-player .speed');
    if (!speed) return;
    speed.selectedIndex = Math.max(0, Math.min(speed.options.length - 1, speed.selectedIndex + pace));
    speed.dispatchEvent(new Event('change'));
  } else if (keys[event.key]) keys[event.key]();
  else return;
  event.preventDefault();
});
// An address may ask for the hall: once there is something to show.
if (new URLSearchParams(location.search).get('hall')) {
  const look = setInterval(() => { if (dgm.view()) { clearInterval(look); dgm.hall(true); } }, 100);
}

// A family's tile on the map plays its stored film while one points at it.
async function play(tile) {
  if (tile.dgmFilm) return;
  tile.dgmFilm = true;
  let row = null;
  try {
    const kept = await (await fetch(`${dgm.root()}/gradio_api/first/${tile.dataset.film}.json.gz`)).json();
    row = kept.values.find((value) => value.rows).rows[0];
  } catch (error) { return; }  // then it stays a still
  const sheet = new Image(), still = tile.querySelector('img'), side = still.naturalWidth, canvas = document.createElement('canvas');
  sheet.src = row.sheet;
  await sheet.decode();
  const count = sheet.naturalHeight / row.height;
  if (count < 2 || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  canvas.width = canvas.height = side;
  canvas.className = 'dgm-ink';
  let at = 0;
  const wide = (row.width + 1) / (side + 1), left = tile.dataset.tile % wide * (side + 1), top = Math.floor(tile.dataset.tile / wide) * (side + 1);
  const timer = setInterval(() => {
    if (at >= count || !tile.matches(':hover, :focus')) { clearInterval(timer); canvas.replaceWith(still); tile.dgmFilm = false; return; }
    canvas.getContext('2d').drawImage(sheet, left, top + at++ * row.height, side, side, 0, 0, side, side);
  }, Math.max(50, 1600 / count));
  still.replaceWith(canvas);
}
for (const kind of ['mouseover', 'focusin']) document.addEventListener(kind, (event) => {
  const tile = event.target.closest?.('.tile[data-film]');
  if (tile) play(tile);
});

// A table is sorted by a click on one of its heads: the better first, and at the next click the worse.
document.addEventListener('click', (event) => {
  const head = event.target.closest?.('.dgm-board th[aria-sort] button')?.parentElement;
  if (!head) return;
  const rows = [...head.closest('tbody, table').querySelectorAll('tr')].slice(1), column = head.cellIndex, was = head.getAttribute('aria-sort'), down = was === 'none' ? head.dataset.good !== 'lower' : was === 'ascending';
  for (const each of head.parentElement.children) if (each.hasAttribute('aria-sort')) each.setAttribute('aria-sort', 'none');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const value = (row) => (row.cells[column].dataset.value === undefined ? -Infinity : Number(row.cells[column].dataset.value) * (down ? 1 : -1));
  rows.sort((a, b) => value(b) - value(a));
  rows[0].parentElement.append(...rows);
});

// A picture that was saved here carries its link: dropped on the page, it opens what it shows.
function linkIn(buffer) {
  const view = new DataView(buffer), text = new TextDecoder('latin1');
  if (view.byteLength < 8 || view.getUint32(0) !== 0x89504e47) return '';
  for (let at = 8; at + 12 <= view.byteLength;) {
    const size = view.getUint32(at), kind = text.decode(new Uint8Array(buffer, at + 4, 4));
    if (kind === 'tEXt') {
      const [name, value] = text.decode(new Uint8Array(buffer, at + 8, size)).split('\0');
      if (name === 'link') return value;
    }
    at += 12 + size;
  }
  return '';
}
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', async (event) => {
  const file = event.dataTransfer?.files[0];
  if (!file || event.target.closest?.('input[type=file]')) return;
  event.preventDefault();
  const link = file.type === 'image/png' ? linkIn(await file.arrayBuffer()) : '';
  if (link.startsWith('?tab=')) location.href = `${dgm.root()}/${link}`;
});
