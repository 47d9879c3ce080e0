// A piece of a molecule that a person draws: atoms of four elements, and bonds between them. The server says what it is as a string.
const root = element.querySelector('.dgm-piece'), svg = root.querySelector('svg'), tools = root.querySelector('.tools');
const SVG = 'http://www.w3.org/2000/svg', ELEMENTS = root.dataset.elements.split(' '), MOST = Number(root.dataset.most), REACH = 11, LONG = 48;
let piece = { atoms: [], bonds: [] }, chosen = null, kind = ELEMENTS[0], history_ = [];

const copy = () => JSON.parse(JSON.stringify(piece));
function begin() { history_.push([copy(), chosen]); if (history_.length > 40) history_.shift(); }
function send() { draw(); props.value = copy(); trigger('input'); }
function button(text, action, said) {
  const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text, title: said || text });
  made.onclick = action;
  tools.appendChild(made);
  return made;
}
const choices = ELEMENTS.map((each) => button(each, () => { kind = each; mark(); }, `the next atom is ${each}`));
button('Undo', undo);
button('Clear', () => { begin(); piece = { atoms: [], bonds: [] }; chosen = null; send(); });
function mark() { choices.forEach((each) => each.setAttribute('aria-pressed', String(each.textContent === kind))); }
function undo() { if (history_.length) { [piece, chosen] = history_.pop(); send(); } }

function part(name, how, text = '') {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(how)) made.setAttribute(key, value);
  made.textContent = text;
  svg.appendChild(made);
  return made;
}
function draw() {
  svg.replaceChildren();
  if (!piece.atoms.length) part('text', { x: 110, y: 78, class: 'hint', 'text-anchor': 'middle' }, 'click: an atom');
  for (const [one, other, order] of piece.bonds) {
    const [[, x, y], [, u, v]] = [piece.atoms[one], piece.atoms[other]], long = Math.hypot(u - x, v - y) || 1;
    for (let line = 0; line < order; line++) {
      const off = 5 * (line - (order - 1) / 2), [dx, dy] = [off * (y - v) / long, off * (u - x) / long];
      part('line', { x1: x + dx, y1: y + dy, x2: u + dx, y2: v + dy, class: 'stick' });
    }
  }
  piece.atoms.forEach(([name, x, y], i) => {
    part('circle', { cx: x, cy: y, r: REACH, class: i === chosen ? 'atom chosen' : 'atom' });
    part('text', { x, y: y + 5, class: `letter ${name}`, 'text-anchor': 'middle' }, name);
  });
}
// A bond between two atoms: single, double, triple, none, and so on.
function bind(one, other) {
  const at = piece.bonds.findIndex(([a, b]) => (a === one && b === other) || (a === other && b === one));
  if (at < 0) piece.bonds.push([one, other, 1]);
  else if (piece.bonds[at][2] < 3) piece.bonds[at][2] += 1;
  else piece.bonds.splice(at, 1);
}
function add(x, y) {
  if (piece.atoms.length >= MOST) return;
  begin();
  piece.atoms.push([kind, Math.round(Math.max(REACH, Math.min(220 - REACH, x))), Math.round(Math.max(REACH, Math.min(150 - REACH, y)))]);
  if (chosen !== null) piece.bonds.push([chosen, piece.atoms.length - 1, 1]);
  chosen = piece.atoms.length - 1;
  send();
}
// A free place beside the chosen atom, for those who draw with keys.
function beside() {
  if (chosen === null) return [110, 75];
  const [, x, y] = piece.atoms[chosen];
  const ways = Array.from({ length: 12 }, (_, i) => [x + LONG * Math.cos(i * Math.PI / 6), y + LONG * Math.sin(i * Math.PI / 6)]);
  const room = ([u, v]) => Math.min(u - REACH, 220 - REACH - u, v - REACH, 150 - REACH - v, ...piece.atoms.map(([, a, b]) => Math.hypot(u - a, v - b)));
  return ways.sort((a, b) => room(b) - room(a))[0];
}
svg.addEventListener('click', (event) => {
  const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * 220, y = (event.clientY - box.top) / box.height * 150;
  const hit = piece.atoms.findIndex(([, a, b]) => Math.hypot(a - x, b - y) <= REACH);
  if (hit < 0) add(x, y);
  else if (chosen === null || chosen === hit) { chosen = chosen === hit ? null : hit; draw(); }
  else { begin(); bind(chosen, hit); chosen = hit; send(); }
});
svg.addEventListener('keydown', (event) => {
  const name = event.key.toUpperCase(), step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const last = piece.bonds.findLast(([a, b]) => a === chosen || b === chosen);
  if (ELEMENTS.includes(name) && !event.ctrlKey && !event.metaKey) { kind = name; mark(); add(...beside()); }
  else if (step && piece.atoms.length) { chosen = ((chosen ?? -step) + step + piece.atoms.length) % piece.atoms.length; draw(); }
  else if (event.key === '=' && last) { begin(); bind(last[0], last[1]); send(); }
  else if (event.key === 'Backspace') undo();
  else return;
  event.preventDefault();
  event.stopPropagation();
});
mark();
draw();
