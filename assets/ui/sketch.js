// A picture and a mask of what is hidden, painted with a pointer; the value goes to the server after each stroke.
const root = element.querySelector('.dgm-sketch');
const canvas = root.querySelector('canvas'), tools = root.querySelector('.tools');
const SIDE = canvas.width, NAMES = { draw: 'Draw', erase: 'Erase', hide: 'Hide', reveal: 'Reveal' };
const modes = root.dataset.modes.split(',');
let ink = new Uint8Array(SIDE * SIDE), seen = new Uint8Array(SIDE * SIDE).fill(1);
const CENTRES = root.dataset.centres === 'yes', PAUSE = 900;  // milliseconds after the last stroke until a drawing is centred and sent
let mode = modes[0], before = null, history_ = [], finger = null, waiting = null, uploaded = false;

const pack = (bytes) => btoa(String.fromCharCode(...bytes));
const unpack = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

const MASK = (getComputedStyle(root).getPropertyValue('--dgm-mask').match(/\w\w/g) || ['b3', '26', '1e']).map((byte) => parseInt(byte, 16));

function paint() {
  const context = canvas.getContext('2d'), image = context.createImageData(SIDE, SIDE), light = !document.body.classList.contains('dark') && !('photo' in root.dataset);
  for (let i = 0; i < ink.length; i++) {
    const hidden = !seen[i];
    // what lies under the hole shows faintly, for a person who draws there
    const level = light ? 255 - ink[i] : ink[i], under = light ? 0 : 255;
    image.data.set(hidden ? [...MASK.map((part) => part + (under - part) * ink[i] / 600), 255] : [level, level, level, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
function keep() { props.value = { ink: pack(ink), seen: pack(seen), ...(uploaded ? { uploaded } : {}) }; }
function send() { clearTimeout(waiting); keep(); trigger('input'); }
// As the digits are that the models know: the centre of mass in the middle. Whole pixels, and no ink is lost over an edge.
function centre() {
  let mass = 0, down = 0, across = 0, top = SIDE, bottom = -1, left = SIDE, right = -1;
  for (let i = 0; i < ink.length; i++) {
    if (!ink[i]) continue;
    const row = Math.floor(i / SIDE), column = i % SIDE;
    mass += ink[i]; down += ink[i] * row; across += ink[i] * column;
    top = Math.min(top, row); bottom = Math.max(bottom, row); left = Math.min(left, column); right = Math.max(right, column);
  }
  if (!mass) return;
  const by = Math.max(-top, Math.min(SIDE - 1 - bottom, SIDE / 2 - Math.round(down / mass)));
  const along = Math.max(-left, Math.min(SIDE - 1 - right, SIDE / 2 - Math.round(across / mass)));
  if (!by && !along) return;
  const moved = new Uint8Array(ink.length);
  for (let row = top; row <= bottom; row++) for (let column = left; column <= right; column++) moved[(row + by) * SIDE + column + along] = ink[row * SIDE + column];
  ink = moved; paint();
}
// A drawing is centred once the pen rests; a mask is sent at once.
function drawn() {
  if (!CENTRES || mode === 'hide' || mode === 'reveal') return send();
  keep();
  clearTimeout(waiting);
  waiting = setTimeout(() => { centre(); send(); }, PAUSE);
}
function stamp(x, y) {
  const radius = mode === 'draw' ? 1.5 : mode === 'erase' ? 2 : 2.4;
  for (let row = Math.floor(y - 3); row <= y + 3; row++) for (let column = Math.floor(x - 3); column <= x + 3; column++) {
    if (row < 0 || column < 0 || row >= SIDE || column >= SIDE) continue;
    const near = Math.hypot(column + 0.5 - x, row + 0.5 - y), i = row * SIDE + column;
    if (mode === 'draw') ink[i] = Math.max(ink[i], Math.round(255 * Math.max(0, Math.min(1, 1.5 * (radius + 0.2 - near)))));
    else if (near <= radius) { if (mode === 'erase') ink[i] = 0; else seen[i] = mode === 'hide' ? 0 : 1; }
  }
}
function place(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE];
}
canvas.addEventListener('pointerdown', (event) => {
  if (finger !== null || event.button !== 0) return;  // one finger or pen at a time, and of a mouse the primary button
  event.preventDefault();
  clearTimeout(waiting);
  finger = event.pointerId;
  canvas.setPointerCapture(finger);
  history_.push([ink.slice(), seen.slice()]);
  if (history_.length > 40) history_.shift();
  before = place(event);
  stamp(...before); paint();
});
canvas.addEventListener('pointermove', (event) => {
  if (!before || event.pointerId !== finger) return;
  const now = place(event), steps = Math.ceil(Math.hypot(now[0] - before[0], now[1] - before[1]) * 3) || 1;
  for (let k = 1; k <= steps; k++) stamp(before[0] + (now[0] - before[0]) * k / steps, before[1] + (now[1] - before[1]) * k / steps);
  before = now; paint();
});
const lift = (event) => { if (event.pointerId === finger) { before = finger = null; drawn(); } };
canvas.addEventListener('pointerup', lift);
canvas.addEventListener('pointercancel', lift);

function choose(name) {
  mode = name;
  tools.querySelectorAll('button[data-mode]').forEach((b) => b.setAttribute('aria-pressed', String(b.dataset.mode === name)));
}
for (const name of modes) {
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: NAMES[name] });
  button.dataset.mode = name;
  button.onclick = () => choose(name);
  tools.appendChild(button);
}
const undo = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Undo' });
undo.onclick = () => { if (history_.length) { [ink, seen] = history_.pop(); paint(); send(); } };
const clear = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Clear' });
clear.onclick = () => { history_.push([ink.slice(), seen.slice()]); ink = new Uint8Array(SIDE * SIDE); uploaded = false; clearTimeout(waiting); choose('draw'); paint(); keep(); };  // a blank digit asks for nothing
tools.append(undo, clear);

function take() {
  const value = props.value;
  if (value && value.ink) { ink = unpack(value.ink); seen = unpack(value.seen); uploaded = Boolean(value.uploaded); history_ = []; paint(); }
}
// Without a pointer: arrows move a pen, the space bar sets it down for as long as it is held, or for one dot.
let pen = [SIDE / 2, SIDE / 2], down = false;
canvas.addEventListener('keydown', (event) => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!move && event.key !== ' ') return;
  event.preventDefault();
  if (event.key === ' ' && !down) { clearTimeout(waiting); history_.push([ink.slice(), seen.slice()]); down = true; }
  if (move) pen = pen.map((part, i) => Math.max(0.5, Math.min(SIDE - 0.5, part + move[i])));
  if (down) stamp(...pen);
  paint();
  const context = canvas.getContext('2d');
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue('--dgm-accent');
  context.strokeRect(Math.floor(pen[0]) - 0.5, Math.floor(pen[1]) - 0.5, 2, 2);
});
canvas.addEventListener('keyup', (event) => { if (event.key === ' ' && down) { down = false; paint(); drawn(); } });
canvas.addEventListener('blur', paint);
addEventListener('dgm-look', paint);
watch('value', take);
choose(mode); paint(); take();
