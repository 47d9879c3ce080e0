// One pixel at a time: the digit so far, the chances of the next pixel, what it listens to, and what every pixel costs.
// All chances arrive at once; only what a pixel listens to is asked of the server, when one is picked.
const box = element.querySelector('.dgm-pixels'), $ = (name) => box.querySelector(name);
const scrub = $('.scrub'), SIDE = Number(box.dataset.side), SIZE = SIDE * SIDE;
let value = null, at = 0, timer = null, picked = null;  // picked: where the last pick went; answers to earlier ones leave it there
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const ink = (name) => getComputedStyle(box).getPropertyValue(name).trim();

function paint(canvas, colour) {
  const context = canvas.getContext('2d'), cell = canvas.width / SIDE;
  for (let i = 0; i < SIZE; i++) {
    context.fillStyle = colour(i);
    context.fillRect((i % SIDE) * cell, Math.floor(i / SIDE) * cell, cell + 0.5, cell + 0.5);
  }
  context.strokeStyle = '#ffd54a'; context.lineWidth = 2.5;
  context.strokeRect((at % SIDE) * cell, Math.floor(at / SIDE) * cell, cell, cell);
}
// black, blue, yellow, white
const heat = (share) => {
  const stops = [[0, 0, 0], [31, 95, 191], [255, 213, 74], [255, 255, 255]], place = Math.min(0.999, Math.max(0, share)) * 3, k = Math.floor(place);
  return `rgb(${stops[k].map((low, c) => Math.round(low + (stops[k + 1][c] - low) * (place - k))).join()})`;
};

function draw() {
  if (!value) return;
  const level = value.ink[at], row = Math.floor(at / SIDE) + 1, column = at % SIDE + 1;
  paint($('.picture'), (i) => { const v = value.ink[i]; return i < at ? `rgb(${v},${v},${v})` : `rgb(${40 + v / 5},${48 + v / 5},${66 + v / 5})`; });
  const most = Math.max(...value.field, 1);
  paint($('.field'), (i) => value.asked === at ? heat(value.field[i] / most) : '#222');
  paint($('.bits'), (i) => heat(value.bits[i] / 8));
  const canvas = $('.chances'), context = canvas.getContext('2d'), { width, height } = canvas, floor = height - 20, wide = (width - 10) / 256;
  context.fillStyle = ink('--background-fill-primary'); context.fillRect(0, 0, width, height);
  const chance = value.chances.subarray(at * 256, at * 256 + 256), top = Math.max(...chance, 1);
  for (let k = 0; k < 256; k++) {
    context.fillStyle = k === level ? ink('--dgm-data') : ink('--dgm-model');
    const high = (chance[k] / top) ** 2 * (floor - 22);
    if (high > 0.2) context.fillRect(5 + k * wide, floor - high, Math.max(wide, k === level ? 3 : 1.3), high);
  }
  context.fillStyle = ink('--dgm-data'); context.beginPath(); context.moveTo(5 + level * wide, floor); context.lineTo(level * wide, floor + 6); context.lineTo(10 + level * wide, floor + 6); context.fill();
  context.fillStyle = ink('--body-text-color'); context.font = '12px system-ui, sans-serif';
  context.textAlign = 'left'; context.fillText('0', 4, height - 3); context.fillText(`highest ${((top / 255) ** 2 * 100).toFixed(0)} %`, 4, 12);
  context.textAlign = 'right'; context.fillText('level 255', width - 4, height - 3);
  $('.said').textContent = `it is ${level}: p = ${(100 * 2 ** -value.bits[at]).toFixed(1)} %, ${value.bits[at].toFixed(1)} bits`;
  $('.total').textContent = value.total;
  $('.count').textContent = `row ${row}, column ${column}`;
  scrub.value = at;
}
function stop() { clearInterval(timer); timer = null; box.dataset.playing = 'no'; }
function go(to, ask) {
  at = Math.max(0, Math.min(SIZE - 1, to));
  draw();
  if (!ask || !value) return;
  picked = at;
  props.value = { at };
  trigger('click');
}
async function take() {
  if (props.value?.stored) props.value = await dgm.fetched(props.value);
  const given = props.value;
  if (!given || !given.chances) return;
  const fresh = !value || value.made !== given.made;
  if (fresh) value = { ...given, ink: bytes(given.ink), chances: bytes(given.chances), field: bytes(given.field), asked: given.at };
  if (fresh && !timer && (picked === null || picked === given.at)) { at = given.at; picked = null; }
  draw();
  if (fresh && given.made) dgm.here(value.link);
}
$('.picture').addEventListener('click', (event) => {
  const edge = event.target.getBoundingClientRect();
  stop();
  go(Math.floor((event.clientY - edge.top) / edge.height * SIDE) * SIDE + Math.floor((event.clientX - edge.left) / edge.width * SIDE), true);
});
const MOVES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -SIDE, ArrowDown: SIDE };
$('.picture').addEventListener('keydown', (event) => {
  if (!MOVES[event.key]) return;
  event.preventDefault(); stop(); go(at + MOVES[event.key], true);
});
scrub.addEventListener('input', () => { stop(); go(Number(scrub.value), false); });
scrub.addEventListener('change', () => go(Number(scrub.value), true));
$('.play').addEventListener('click', () => {
  if (timer) { stop(); go(at, true); return; }
  if (at >= SIZE - 1) at = 0;
  box.dataset.playing = 'yes';
  timer = setInterval(() => { if (at >= SIZE - 1 || !box.isConnected) { stop(); return; } go(at + 1, false); }, 30);
});
$('.link').addEventListener('click', () => { if (value) dgm.copy(value.link, $('.link')); });
watch('value', take);
take();
