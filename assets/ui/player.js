// Plays a film: one sprite sheet a row, frames below one another. Once it is there, it asks the server for nothing.
const player = element.querySelector('.dgm-player');
const $ = (name) => player.querySelector(name);
const stage = $('.stage'), scrub = $('.scrub'), count = $('.count'), note = $('.note');
let film = null, rows = [], at = 0, timer = null, guessing = false;

// The address of something that is served beside the page, wherever that is: under a path of a proxy, too.
function beside(path) {
  const root = new URL(window.gradio_config?.root || location.href, location.href).pathname;
  return `${root.replace(/\/$/, '')}/${path}`;
}

// One part of a row: what its view draws, over its title. `renderers` come from assets/ui/views.
function partOf(row, title, source, other) {
  const box = document.createElement('figure');
  const label = [row.title, title].filter(Boolean).join(', ');
  const drawn = renderers[row.view || 'pictures'](row, { redraw: () => draw(), label, source, other });
  box.appendChild(drawn.element);
  if (title) { const c = document.createElement('figcaption'); c.textContent = title; box.appendChild(c); }
  return { box, row, ...drawn };
}

function headLine(row, wide) {
  const line = document.createElement('div'), head = document.createElement('div');
  line.className = 'row';
  if (wide) line.appendChild(Object.assign(document.createElement('div'), { className: 'side' }));
  head.className = 'columns';
  head.dataset.width = row.width;
  head.style.gridTemplateColumns = `repeat(${row.heads.length}, 1fr)`;
  for (const name of row.heads) head.appendChild(Object.assign(document.createElement('span'), { textContent: name }));
  line.appendChild(head);
  return line;
}

function build() {
  stage.replaceChildren();
  rows = [];
  const wide = film.rows.length > 1 || film.rows[0].title;
  stage.classList.toggle('table', Boolean(wide));
  let heads = '';
  for (const row of film.rows) {
    if (row.heads.length && row.heads.join() !== heads) stage.appendChild(headLine(row, wide));
    heads = row.heads.join();
    const line = document.createElement('div');
    line.className = 'row';
    if (wide) {
      const side = document.createElement('div');
      side.className = 'side';
      const title = document.createElement('b'); title.textContent = row.title || ''; title.className = row.kind || '';
      const caption = document.createElement('small'); caption.textContent = row.caption || '';
      const now = document.createElement('small'); now.className = 'now';
      side.append(title, caption, now);
      line.appendChild(side);
      row.now = now;
    }
    const pictures = document.createElement('div');
    pictures.className = 'pictures';
    const beside = row.guess && !wide;
    const parts = [partOf(row, beside ? 'xₜ, the canvas' : '', row.sheet, !beside && row.guess)];
    if (beside) parts.push(partOf(row, 'x̂, the predicted picture', row.guess));
    for (const part of parts) { pictures.appendChild(part.box); rows.push(part); }
    line.appendChild(pictures);
    stage.appendChild(line);
  }
  $('.receipt').textContent = film.receipt || '';
  $('.link').style.display = film.link ? '' : 'none';
  $('.saves').hidden = !film.name || !film.link;
  for (const link of player.querySelectorAll('.saves a')) {
    link.hidden = !(film.endings || ['png', 'gif', 'npy']).includes(link.dataset.ending);
    const file = `${film.name}.${link.dataset.ending}`;
    link.href = beside(`gradio_api/save/${encodeURIComponent(file)}${film.link}`);  // made when it is asked for
    link.download = file;
  }
  $('.guess').hidden = !rows.some((part) => part.other);
  $('.bar').style.display = film.count > 1 || film.partial ? '' : 'none';
  scrub.max = film.count - 1;
  fit();
}

function fit() {
  if (!film) return;
  const wide = stage.classList.contains('table');
  const side = !wide || stage.clientWidth <= 520 ? 0 : stage.clientWidth > 800 ? 290 : 160;
  if (side) stage.style.setProperty('--side', `${side - 10}px`);
  const widest = Math.max(...rows.map((part) => part.row.width));
  const beside = !wide && film.rows[0].guess ? 2 : 1;
  const lines = film.rows.reduce((sum, row) => sum + row.height, 0);
  const room = Math.max(60, (stage.clientWidth - side - 12 * (beside - 1)) / beside);
  const least = rows.some((part) => part.shrinks) ? 0 : 0.5;  // pixels that are smaller cannot be told apart
  const scale = Math.max(least, Math.min(room / widest, Math.max(120, film.tall || 400) / lines));
  for (const part of rows) {
    if (part.fit) part.fit(room);
    else part.element.style.width = Math.floor(part.row.width * scale) + 'px';
  }
  for (const head of stage.querySelectorAll('.columns')) head.style.width = Math.floor(head.dataset.width * scale) + 'px';
}

function draw() {
  if (!film) return;
  let whole = true;
  for (const part of rows) {
    if (!part.draw(at, guessing)) { whole = false; continue; }
    if (part.row.now && part.row.notes) part.row.now.textContent = (guessing && part.other ? 'predicted picture: ' : '') + (part.row.notes[at] || '');
  }
  scrub.value = at;
  count.textContent = film.count > 1 ? `${at + 1} / ${film.count}` : '';
  note.textContent = (film.notes || [])[at] || '';
  note.hidden = !(film.notes || []).length;
  player.dataset.frame = at;
  player.dataset.drawn = whole && !film.partial ? player.dataset.shown : '';
}

function go(frame) { if (!film) return; at = Math.max(0, Math.min(film.count - 1, frame)); draw(); }
function stop() { clearInterval(timer); timer = null; player.dataset.playing = 'no'; }
function play() {
  if (at >= film.count - 1) go(0);
  clearInterval(timer);
  player.dataset.playing = 'yes';
  const wait = Math.max(40, Math.min(400, 2400 / film.count)) / Number($('.speed').value);
  timer = setInterval(() => { if (at >= film.count - 1) stop(); else go(at + 1); }, wait);
}

const acts = {
  restart: () => { stop(); go(0); },
  back: () => { stop(); go(at - 1); },
  step: () => { stop(); go(at + 1); },
  play: () => (timer ? stop() : play()),
  guess: () => { guessing = !guessing; $('.guess').setAttribute('aria-pressed', String(guessing)); draw(); },
  link: async () => {
    const address = location.origin + location.pathname + film.link;
    let copied = true;
    try { await navigator.clipboard.writeText(address); } catch (error) { copied = false; }
    history.replaceState(null, '', film.link);
    $('.link').textContent = copied ? 'copied' : 'it is in the address bar';
    setTimeout(() => { $('.link').textContent = 'copy link'; }, 1800);
  },
};
player.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (button && film) acts[button.dataset.act]();
});
scrub.addEventListener('input', () => { stop(); go(Number(scrub.value)); });
$('.speed').addEventListener('change', () => { if (timer) play(); });
document.addEventListener('keydown', (event) => {
  if (!film || !player.isConnected || player.offsetParent === null) return;
  const inside = player.contains(document.activeElement);
  if (event.defaultPrevented || (!inside && document.activeElement?.closest('.dgm-player'))) return;
  const pressed = event.key === ' ' && event.target.closest('button, a');  // Space belongs to a button that has the focus
  if (pressed && !event.target.matches('.dgm-player .play, [role=tab][aria-selected=true]')) return;
  const busy = event.target.closest('input, select, textarea, [role=slider], [role=listbox], [contenteditable=true]');
  if (busy && !(inside && event.target.matches('.scrub'))) return;
  if (!inside && document.querySelectorAll('.dgm-player').length > 1) {
    const there = [...document.querySelectorAll('.dgm-player')].filter((other) => other.offsetParent !== null);
    const inView = (other) => { const box = other.getBoundingClientRect(); return box.top + box.height / 2 > 0 && box.top + box.height / 2 < innerHeight; };
    if ((there.find(inView) || there[0]) !== player) return;
  }
  const keys = { ' ': acts.play, ArrowLeft: acts.back, ArrowRight: acts.step, Home: acts.restart, End: () => { stop(); go(film.count - 1); } };
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
});

// A stored film is fetched where it is first looked at; what was asked for in the meantime stays.
async function arrive() {
  const value = props.value;
  if (!value?.stored) return show(value);
  let kept = null;
  try {
    const reply = await fetch(beside(value.stored));
    if (reply.ok) kept = (await reply.json()).values[value.at];
  } catch (error) { /* said below */ }
  if (props.value?.stored !== value.stored) return;
  if (kept) show(kept, false);
  else $('.receipt').textContent = 'This picture could not be loaded. Ask for a new one, or open the page again.';
}

function show(value, asked = true) {
  if (film && value?.made === film.made) return;  // the last part of a stream comes twice: as a part, and as its end
  stop();
  film = value;
  if (!film || !film.rows) { film = null; return; }
  build();
  if (!film.partial) {
    player.dataset.link = film.link || '';
    player.dataset.shown = Number(player.dataset.shown || 0) + 1;
  }
  at = film.count - 1;
  draw();
  if (asked && !film.partial && document.activeElement?.matches('.dgm-side button, .dgm-buttons button')) player.focus({ preventScroll: true });  // the keys are the film's
  if (film.count > 1 && film.autoplay !== false && !matchMedia('(prefers-reduced-motion: reduce)').matches) { at = 0; draw(); play(); }
}
watch('value', arrive);
new ResizeObserver(fit).observe(stage);
arrive();
