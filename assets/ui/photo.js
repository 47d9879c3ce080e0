// A picture in colour that a panel works on: one that ships, or a person's own; and, where the panel asks, the square looked at.
const over = element.querySelector('.over'), image = element.querySelector('img'), square = document.createElement('div');
square.className = 'square';
let given = null, pressed = null;
function take() {
  given = props.value;
  if (!given?.picture) return;
  if (image.getAttribute('src') !== dgm.source(given.picture)) image.src = dgm.source(given.picture);
  image.alt = given.uploaded ? 'your picture' : `picture ${given.of}`;
  if (!given.at) return;
  if (!square.parentNode) {
    over.append(square);
    over.tabIndex = 0;
    over.setAttribute('role', 'application');
    over.setAttribute('aria-label', 'where to look closely: click, or arrow keys');
  }
  frame();
}
// The square is so many pixels of the picture wide; at: how far along the way it has, across and down, in hundredths.
function parts() { return [image.naturalWidth, image.naturalHeight].map((size) => Math.min(1, given.side / Math.max(1, size))); }
function frame() {
  const [wide, high] = parts(), [across, down] = given.at;
  Object.assign(square.style, { width: `${100 * wide}%`, height: `${100 * high}%`, left: `${across * (1 - wide)}%`, top: `${down * (1 - high)}%` });
}
function move(at) {
  props.value = given = { ...given, at: at.map((part) => Math.round(Math.max(0, Math.min(100, part)))) };
  frame();
}
function point(event) {
  const box = image.getBoundingClientRect(), size = parts();
  move([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((part, i) => size[i] < 1 ? 100 * (part - size[i] / 2) / (1 - size[i]) : 0));
}
over.addEventListener('pointerdown', (event) => {
  if (!given?.at || event.button !== 0) return;
  event.preventDefault();
  pressed = event.pointerId;
  over.setPointerCapture(pressed);
  point(event);
});
over.addEventListener('pointermove', (event) => { if (event.pointerId === pressed) point(event); });
const lift = (event) => { if (event.pointerId === pressed) { pressed = null; trigger('input'); } };
over.addEventListener('pointerup', lift);
over.addEventListener('pointercancel', lift);
over.addEventListener('keydown', (event) => {
  const way = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
  if (!way || !given?.at) return;
  event.preventDefault();
  event.stopPropagation();
  move(given.at.map((part, i) => part + way[i]));
  trigger('input');
});
image.addEventListener('load', () => { image.classList.toggle('small', image.naturalWidth <= 64); if (given?.at) frame(); });
watch('value', take);
take();
