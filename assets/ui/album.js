// Pictures side by side under their words, each to be saved. A click looks closer: at the same place of all of them.
const box = element.querySelector('.pictures'), receipt = element.querySelector('.dgm-receipt');
let last = null, near = null;  // the place looked at, in parts of the width and of the height
function figure(each) {
  const made = document.createElement('figure'), frame = document.createElement('div'), image = new Image(), words = document.createElement('figcaption');
  const save = Object.assign(document.createElement('a'), { href: each.picture, download: each.file, textContent: 'save' });
  image.onload = () => {
    frame.style.aspectRatio = image.naturalWidth / image.naturalHeight;
    frame.style.maxWidth = `${52 * image.naturalWidth / image.naturalHeight}vh`;
    look();
  };
  image.src = each.picture;
  image.alt = each.words;
  Object.assign(frame, { className: 'frame', tabIndex: 0, role: 'button' });
  frame.setAttribute('aria-label', `look closer at ${each.words}: Enter, then arrow keys`);
  frame.addEventListener('pointermove', (event) => { if (near && event.pointerType === 'mouse') look(place(frame, event)); });
  frame.addEventListener('click', (event) => look(near ? null : place(frame, event)));
  frame.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, -0.05], ArrowDown: [0, 0.05] }[event.key];
    if (move && near) look(near.map((part, i) => Math.max(0, Math.min(1, part + move[i]))));
    else if (event.key === 'Enter') look(near ? null : [0.5, 0.5]);
    else if (event.key === 'Escape' && near) look(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  frame.append(image);
  words.append(each.words, ' ', save);
  frame.title = 'click to look closer';
  made.append(frame, words);
  return made;
}
function place(frame, event) {
  const at = frame.getBoundingClientRect();
  return [(event.clientX - at.left) / at.width, (event.clientY - at.top) / at.height];
}
// Twice as large as its pixels, or three times as large as it stands: whichever is more.
function look(at = near) {
  near = at;
  for (const frame of box.querySelectorAll('.frame')) {
    const image = frame.firstChild, scale = Math.max(3, 2 * image.naturalWidth / Math.max(1, frame.clientWidth));
    frame.classList.toggle('near', Boolean(near));
    image.style.transformOrigin = near ? `${100 * near[0]}% ${100 * near[1]}%` : '';
    image.style.transform = near ? `scale(${scale})` : '';
  }
}
async function take() {
  const value = props.value;
  last = value;
  const given = await dgm.fetched(value);
  if (!given?.pictures || last !== value) return;
  box.replaceChildren(...given.pictures.map(figure));
  receipt.textContent = given.receipt;
  if (given.link) dgm.here(given.link, Boolean(value.made));
}
watch('value', take);
take();
