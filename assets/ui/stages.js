// From a caption to pictures: its embedding, a picture's embedding for each row, and what is made of that in three sizes. Each stage that draws
// by chance can be drawn again alone; what stands left of it stays.
const root = element.querySelector('.dgm-stages'), grid = root.querySelector('.grid'), receipt = root.querySelector('.dgm-receipt');
const SVG = 'http://www.w3.org/2000/svg';
let value = null;

// Numbers as bars, up or down from a line.
function bars(numbers, most, words) {
  const svg = document.createElementNS(SVG, 'svg'), step = 192 / numbers.length;
  svg.setAttribute('viewBox', '0 0 192 48');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', words);
  numbers.forEach((each, i) => {
    const bar = document.createElementNS(SVG, 'rect'), tall = Math.max(0.5, 23 * Math.abs(each) / most);
    for (const [key, what] of Object.entries({ x: i * step, width: step * 0.8, y: each > 0 ? 24 - tall : 24, height: tall, class: each > 0 ? 'up' : 'down' })) bar.setAttribute(key, what);
    svg.appendChild(bar);
  });
  return svg;
}
function made(name, kind, ...inner) {
  const each = Object.assign(document.createElement(name), { className: kind });
  each.append(...inner);
  return each;
}
// One of several pictures that stand below each other in one file.
function tile(sheet, at, count, words) {
  const each = made('div', 'tile');
  each.style.backgroundImage = `url(${dgm.source(sheet)})`;
  each.style.backgroundSize = `100% ${100 * count}%`;
  each.style.backgroundPosition = `0 ${count > 1 ? 100 * at / (count - 1) : 0}%`;
  each.setAttribute('role', 'img');
  each.setAttribute('aria-label', words);
  return each;
}
function again(stage) {
  const box = made('div', 'again');
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: stage.button });
  button.setAttribute('aria-label', `${stage.name}: ${stage.button}`);
  button.onclick = () => go(stage.at, 1);
  box.append(button);
  if (value.again[stage.at]) {
    const back = Object.assign(document.createElement('button'), { type: 'button', textContent: '↩', title: 'the one before' });
    back.setAttribute('aria-label', `${stage.name}: the one before`);
    back.onclick = () => go(stage.at, -1);
    box.append(back);
  }
  return box;
}
function go(at, by) {
  const counts = value.again.map((count, i) => Math.max(0, count + (i === at ? by : 0)));
  props.value = { go: counts.join('-') };
  trigger('click');
}
function draw() {
  const held = grid.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : '';
  const most = Math.max(...value.heard.map(Math.abs), ...value.z.flat().map(Math.abs)), count = value.z.length;
  const heads = value.stages.map((stage) => {
    const head = made('div', 'head', made('h3', '', stage.name), made('p', '', stage.words));
    if (stage.button) head.append(again(stage));
    return head;
  });
  const text = made('div', 'text', bars(value.heard, most, 'embedding of the caption'), made('p', '', `taken for “${value.said}”; near: ${value.words.join('; ')}`));
  text.style.gridRow = `2 / span ${count}`;
  grid.replaceChildren(...heads, text);
  value.z.forEach((numbers, i) => {
    const near = made('div', 'near', ...value.captions[i].map((words, k) => {
      const each = tile(value.near, i * value.captions[i].length + k, count * value.captions[i].length, words);
      each.title = words;
      return each;
    }));
    const point = made('div', 'point', bars(numbers, most, `embedding of picture ${i + 1}`), near);
    grid.append(point, ...value.sheets.map((sheet, k) => tile(sheet, i, count, `${value.stages[k + 2].name}, picture ${i + 1}`)), made('p', 'read', value.read[i]));
  });
  receipt.textContent = value.receipt;
  if (held) ([...grid.querySelectorAll('button')].find((each) => each.getAttribute('aria-label') === held) || grid.querySelector('button')).focus();
}
// The largest pictures side by side, as a file.
function save(event) {
  event.preventDefault();
  const image = new Image(), sheet = value.sheets.at(-1), count = value.z.length;
  image.onload = () => {
    const side = image.naturalWidth, canvas = Object.assign(document.createElement('canvas'), { width: 4 * side * count, height: 4 * side }), paper = canvas.getContext('2d');
    paper.imageSmoothingEnabled = false;
    for (let i = 0; i < count; i++) paper.drawImage(image, 0, i * side, side, side, 4 * i * side, 0, 4 * side, 4 * side);
    Object.assign(document.createElement('a'), { href: canvas.toDataURL('image/png'), download: `${value.name}.png` }).click();
  };
  image.src = dgm.source(sheet);
}
// What somebody asked for is shown; what everybody finds only where no link names another, and nothing was asked for meanwhile.
async function take() {
  const named = props.value;
  let given = named;
  if (named?.stored || !named?.made) {
    given = await dgm.fetched(named);
    if (props.value?.stored !== named?.stored || (props.value?.made && !named?.made)) return;
    if (given && !named?.made && dgm.awaits(given.link)) { receipt.textContent = 'opening what the link names ...'; return; }
  }
  if (!given?.z || value && value.made && value.made === given.made) return;
  value = given;
  draw();
  root.dataset.shown = Number(root.dataset.shown || 0) + 1;
  root.dataset.link = value.link || '';
  if (value.link) dgm.here(value.link, Boolean(value.made));
}
root.querySelector('.png').addEventListener('click', save);
root.querySelector('.link').addEventListener('click', (event) => dgm.copy(value.link, event.target));
watch('value', take);
take();
