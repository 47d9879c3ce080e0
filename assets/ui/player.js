// Plays a film: one sprite sheet a row, frames below one another. Once it is there, it asks the server for nothing.
const player = element.querySelector('.dgm-player');
const $ = (name) => player.querySelector(name);
const stage = $('.stage'), scrub = $('.scrub'), count = $('.count'), note = $('.note');
let film = null, rows = [], at = 0, timer = null, guessing = false, zoom = null, picked = false;

// One part of a row: what its view draws, over its title. `renderers` come from assets/ui/views.
function partOf(row, title, source, other) {
  const box = document.createElement('figure');
  const label = [row.title, title].filter(Boolean).join(', ') || 'the pictures of this result';
  const drawn = renderers[row.view || 'pictures'](row, { redraw: () => draw(), label, source, other, side: Number(player.dataset.side) });
  box.appendChild(drawn.element);
  if (title) { const c = document.createElement('figcaption'); c.textContent = title; box.appendChild(c); }
  return { box, row, ...drawn };
}

function headLine(row, wide) {
  const line = document.createElement('div'), head = document.createElement('div');
  line.className = 'row';
  if (wide) line.appendChild(Object.assign(document.createElement('div'), { className: 'side' }));
  head.className = 'columns';
  head.row = row;
  head.style.gridTemplateColumns = `repeat(${row.heads.length}, minmax(0, 1fr))`;
  for (const name of row.heads) head.appendChild(Object.assign(document.createElement('span'), { textContent: name }));
  line.appendChild(head);
  return line;
}

function build() {
  unzoom();
  stage.replaceChildren();
  rows = [];
  const wide = film.rows.length > 1 || film.rows[0].title;
  stage.classList.toggle('table', Boolean(wide));
  stage.classList.toggle('many', film.rows.length > 2);  // then a row says how it fares while it plays, and what came of it at the end
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
      const caption = document.createElement('small'); caption.className = 'caption'; caption.textContent = row.caption || '';
      side.title = row.caption || '';
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
  say(film.receipt || '');
  $('.link').style.display = film.link ? '' : 'none';
  $('.saves').hidden = !film.name || !film.link;
  for (const link of player.querySelectorAll('.saves a')) {
    link.hidden = !(film.endings || ['png', 'gif', 'npy']).includes(link.dataset.ending);
    const file = `${film.name}.${link.dataset.ending}`;
    link.href = `${dgm.root()}/gradio_api/save/${encodeURIComponent(file)}${film.link}`;  // made when it is asked for
    link.download = file;
  }
  $('.guess').hidden = !rows.some((part) => part.other);
  $('.bar').style.display = film.count > 1 || film.partial ? '' : 'none';
  scrub.max = film.count - 1;
  fit();
}

// What a result cost, and where it came from: the first of it in sight, all of it on demand.
function say(receipt) {
  $('.receipt').textContent = receipt;
  $('.details summary').textContent = receipt.split(' · ')[0] || 'details';
}

// As large as the window leaves room for: down to its lower edge, less what stands below the pictures in the same column.
function height() {
  const hall = document.body.classList.contains('dgm-hall');
  const top = stage.getBoundingClientRect().top + (hall ? 0 : scrollY), column = player.closest('.column');
  let below = player.getBoundingClientRect().bottom - stage.getBoundingClientRect().bottom;
  if (column && !hall) {
    const mine = [...column.children].find((child) => child.contains(player));
    for (let next = mine?.nextElementSibling; next; next = next.nextElementSibling) below += Math.min(240, next.offsetHeight + 8);
  }
  const most = innerHeight * Number(player.dataset.most) || Infinity;  // where more than the film is to be in sight
  return hall ? innerHeight - top - below - 30 : Math.min(most, Math.max(innerWidth <= 700 ? 520 : 180, innerHeight - top - below - 14));
}

function fit() {
  if (!film || !player.offsetParent) return;
  const wide = stage.classList.contains('table');
  const hall = document.body.classList.contains('dgm-hall');
  const side = !wide || stage.clientWidth <= 520 ? 0 : hall ? 340 : stage.clientWidth > 800 && rows.every((part) => !(part.columns > 6)) ? 230 : stage.clientWidth > 800 ? 190 : 150;
  if (side) stage.style.setProperty('--side', `${side - 12}px`);
  const beside = !wide && film.rows[0].guess && stage.clientWidth > 520 ? 2 : 1;
  const room = Math.max(60, (stage.clientWidth - side - 24 * (beside - 1)) / beside - 2), drawn = rows.filter((part) => part.natural);
  for (const part of rows) if (part.fit) part.fit(room);
  if (!drawn.length) return;
  const lines = beside > 1 ? drawn.slice(0, 1) : drawn, sum = (at, of) => lines.reduce((total, part) => total + part[at][of], 0);
  const words = lines.length * (wide ? 10 : 22) + (stage.querySelector('.columns') ? 22 * stage.querySelectorAll('.columns').length : 0);
  const tall = (height() - words - sum('gaps', 1)) / sum('natural', 1);
  const across = Math.min(...drawn.map((part) => (room - part.gaps[0]) / part.natural[0]));
  // so that pictures of many models are still told apart, the page may be longer than the window
  const least = Math.max(...drawn.map((part) => (part.high ? (wide ? 44 : 28) / part.high : 0))), most = Math.min(...drawn.map((part) => part.most || Math.max(6, 168 / (part.high || 168))));
  const scale = Math.min(across, Math.max(least, Math.min(most, tall)));
  for (const part of drawn) part.resize(scale);
  stage.classList.toggle('dense', wide && drawn.some((part) => part.high && part.high * scale < 64));
  for (const head of stage.querySelectorAll('.columns')) {
    const part = rows.find((each) => each.row === head.row);
    head.style.width = part.element.style.width;
    head.style.columnGap = `${part.gap || 0}px`;
  }
  draw();
}

function draw() {
  if (!film) return;
  let whole = true;
  for (const part of rows) {
    if (!part.draw(at, guessing)) { whole = false; continue; }
    if (part.row.now && part.row.notes) part.row.now.textContent = (guessing && part.other ? 'predicted picture: ' : '') + (part.row.notes[at] || '');
  }
  stage.classList.toggle('ended', at === film.count - 1);
  if (zoom) paintZoom();
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
  stop: () => {
    trigger('stop');
    player.dataset.partial = 'no';
    for (const said of stage.querySelectorAll('.side small')) if (/^(at work|to come)/.test(said.textContent)) said.textContent = 'stopped';
  },
  guess: () => { guessing = !guessing; $('.guess').setAttribute('aria-pressed', String(guessing)); draw(); },
  link: () => dgm.copy(film.link, $('.link')),
};
player.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (button && film) acts[button.dataset.act]();
});
// A tile that is clicked is chosen, where tiles are; else it is shown over all of the result, and plays on there.
function paintZoom() {
  const side = Math.min(stage.clientWidth, Math.max(stage.clientHeight, 320)), canvas = zoom.box.firstChild;
  canvas.width = canvas.height = side;
  zoom.part.tile(canvas.getContext('2d'), zoom.number, [side, side], 0, 0, at, guessing);
}
function unzoom() { zoom?.box.remove(); zoom = null; }
stage.addEventListener('click', (event) => {
  if (zoom) return unzoom();
  const part = rows.find((each) => each.element.contains(event.target));
  if (!part?.tileAt) return;
  const number = part.tileAt(event.offsetX, event.offsetY, event.target);
  if (!(number >= 0)) return;
  if (player.dataset.picks === 'yes') { picked = true; props.value = { at: number }; trigger('click'); return; }
  const box = Object.assign(document.createElement('div'), { className: 'zoom', title: 'a click closes it' });
  box.appendChild(document.createElement('canvas')).setAttribute('aria-label', 'one picture, enlarged');
  box.firstChild.setAttribute('role', 'img');
  stage.appendChild(box);
  zoom = { part, number, box };
  paintZoom();
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

// What somebody asked for is shown; what everybody finds is so unless a link names another, and where it is only named, it is fetched when
// it is first looked at. What was asked for in the meantime stays.
async function arrive() {
  const value = props.value;
  if (!value?.stored && (value?.made || value?.partial)) return show(value);
  let kept = null;
  try { kept = await dgm.fetched(value); } catch (error) { /* said below */ }
  if (props.value?.stored !== value?.stored || (props.value?.made && !value?.made)) return;
  if (!value?.made && kept && dgm.awaits(kept.link)) {
    note.hidden = false;
    note.textContent = 'opening what the link names ...';
    return;
  }
  if (kept) show(kept, false);
  else if (value) say('This picture could not be loaded. Ask for a new one, or open the page again.');
}

function show(value, asked = true) {
  if (!value?.rows) return;  // a click on its way to the server
  if (film && value.made === film.made) return;  // the last part of a stream comes twice: as a part, and as its end
  stop();
  film = value;
  build();
  player.dataset.partial = film.partial ? 'yes' : 'no';
  if (!film.partial) {
    player.dataset.link = film.link || '';
    player.dataset.shown = Number(player.dataset.shown || 0) + 1;
    if (film.link) dgm.here(film.link, asked);
  }
  at = film.count - 1;
  draw();
  if (asked && !film.partial && document.activeElement?.matches('.dgm-another, .dgm-buttons button')) player.focus({ preventScroll: true });  // the keys are the film's
  const stays = picked && !film.partial;  // the answer to a click on a tile: the film stays where it ends
  picked = false;
  if (!stays && film.count > 1 && film.autoplay !== false && !matchMedia('(prefers-reduced-motion: reduce)').matches) { at = 0; draw(); play(); }
}
watch('value', arrive);
new ResizeObserver(fit).observe(player.parentElement);
addEventListener('resize', fit);
addEventListener('dgm-look', fit);  // another theme, or the hall
arrive();
