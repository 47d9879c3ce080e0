// A photo, and over it a hole that a person paints; the value goes to the server after each stroke.
const root = element.querySelector('.dgm-brush'), image = root.querySelector('img');
const canvas = root.querySelector('canvas'), tools = root.querySelector('.tools');
const GRID = canvas.width, NAMES = { hide: 'Hide', reveal: 'Reveal' };
let given = null, hole = new Uint8Array(GRID * GRID), history_ = [], mode = 'hide', before = null, finger = null, radius = 5;
const MASK = (getComputedStyle(root).getPropertyValue('--dgm-mask').match(/\w\w/g) || ['b3', '26', '1e']).map((byte) => parseInt(byte, 16));

function paint() {
  const context = canvas.getContext('2d'), shown = context.createImageData(GRID, GRID);
  for (let i = 0; i < hole.length; i++) if (hole[i]) shown.data.set([...MASK, 235], 4 * i);
  context.putImageData(shown, 0, 0);
}
function packed() {
  const bytes = new Uint8Array(hole.length / 8);
  for (let i = 0; i < hole.length; i++) if (hole[i]) bytes[i >> 3] |= 128 >> (i & 7);
  return btoa(String.fromCharCode(...bytes));
}
function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return Uint8Array.from({ length: GRID * GRID }, (_, i) => (bytes[i >> 3] >> (7 - (i & 7))) & 1);
}
// No hole asks for nothing.
function settle() { if (hole.some(Boolean)) send(); else props.value = { ...given, hole: packed() }; }
function send() { props.value = { ...given, hole: packed() }; trigger('input'); }
// The grid is stretched over the photo: a brush is round on the screen.
function stamp([x, y]) {
  const box = canvas.getBoundingClientRect(), wide = radius, tall = radius * box.width / Math.max(1, box.height);
  for (let row = Math.max(0, Math.floor(y - tall)); row < Math.min(GRID, y + tall); row++) for (let column = Math.max(0, Math.floor(x - wide)); column < Math.min(GRID, x + wide); column++) {
    if (Math.hypot((column + 0.5 - x) / wide, (row + 0.5 - y) / tall) <= 1) hole[row * GRID + column] = mode === 'hide' ? 1 : 0;
  }
}
function place(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * GRID, (event.clientY - box.top) / box.height * GRID];
}
function begin() { history_.push(hole.slice()); if (history_.length > 40) history_.shift(); }
canvas.addEventListener('pointerdown', (event) => {
  if (finger !== null || event.button !== 0) return;
  event.preventDefault();
  finger = event.pointerId;
  canvas.setPointerCapture(finger);
  begin();
  before = place(event);
  stamp(before); paint();
});
canvas.addEventListener('pointermove', (event) => {
  if (!before || event.pointerId !== finger) return;
  const now = place(event), steps = Math.ceil(Math.hypot(now[0] - before[0], now[1] - before[1])) || 1;
  for (let k = 1; k <= steps; k++) stamp(before.map((part, i) => part + (now[i] - part) * k / steps));
  before = now; paint();
});
const lift = (event) => { if (event.pointerId === finger) { before = finger = null; settle(); } };
canvas.addEventListener('pointerup', lift);
canvas.addEventListener('pointercancel', lift);

function choose(name) {
  mode = name;
  tools.querySelectorAll('button[data-mode]').forEach((b) => b.setAttribute('aria-pressed', String(b.dataset.mode === name)));
}
for (const name of Object.keys(NAMES)) {
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: NAMES[name] });
  button.dataset.mode = name;
  button.onclick = () => choose(name);
  tools.appendChild(button);
}
const wider = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Brush: small' });
wider.onclick = () => { radius = radius === 5 ? 9 : 5; wider.textContent = `Brush: ${radius === 5 ? 'small' : 'large'}`; };
const undo = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Undo' });
undo.onclick = () => { if (history_.length) { hole = history_.pop(); paint(); settle(); } };
const clear = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Clear' });
clear.onclick = () => { begin(); hole.fill(0); choose('hide'); paint(); settle(); };
tools.append(wider, undo, clear);

// Without a pointer: arrows move the brush, the space bar sets it down for as long as it is held, or for one dot.
let pen = [GRID / 2, GRID / 2], down = false;
canvas.addEventListener('keydown', (event) => {
  const move = { ArrowLeft: [-2, 0], ArrowRight: [2, 0], ArrowUp: [0, -2], ArrowDown: [0, 2] }[event.key];
  if (!move && event.key !== ' ') return;
  event.preventDefault();
  if (event.key === ' ' && !down) { begin(); down = true; }
  if (move) pen = pen.map((part, i) => Math.max(0, Math.min(GRID, part + move[i])));
  if (down) stamp(pen);
  paint();
  const context = canvas.getContext('2d');
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue('--dgm-accent');
  context.strokeRect(pen[0] - radius, pen[1] - radius, 2 * radius, 2 * radius);
});
canvas.addEventListener('keyup', (event) => { if (event.key === ' ' && down) { down = false; paint(); settle(); } });
canvas.addEventListener('blur', () => { paint(); if (down) { down = false; settle(); } });

function take() {
  const value = props.value;
  if (!value?.picture) return;
  const { made, hole: painted, ...rest } = value;
  if (given?.picture !== rest.picture) { image.src = dgm.source(rest.picture); image.alt = rest.uploaded ? 'your photo' : `photo ${rest.of}`; history_ = []; }
  given = rest;
  hole = unpacked(painted); paint();
}
watch('value', take);
choose(mode); take();
