// A text as a model writes it: what was given and what was made, and of the token that one points at, the distribution it was drawn from.
// All distributions come with the finished text, so walking through it asks nothing of the server; another token in its place does.
const box = element.querySelector('.dgm-writing'), $ = (name) => box.querySelector(name);
const sheet = $('.sheet'), bars = $('.bars');
let value = null, at = null, held = null;  // the text where it was stopped: what was on its way then is not shown
const past = [];  // texts to go back to
const kept = [], MOST = 16;  // finished texts, each with the one that it parts from last, and where
const shown = (token) => token.replace(/\n/g, '↵').replace(/ /g, '␣');
const percent = (p) => p >= 0.0995 ? `${Math.round(100 * p)} %` : p >= 0.00095 ? `${(100 * p).toFixed(1)} %` : p > 0 ? '< 0.1 %' : '0';

function draw() {
  sheet.replaceChildren();
  value.tokens.forEach((token, i) => {
    const piece = document.createElement('span');
    piece.className = value.kinds[i] + (i === at ? ' here' : '');
    piece.textContent = token;
    piece.dataset.at = i;
    sheet.appendChild(piece);
  });
  if (value.partial) sheet.appendChild(Object.assign(document.createElement('span'), { className: 'pen' }));
  side();
}
function side() {
  const chances = value.chances?.[at];
  box.classList.toggle('chosen', Boolean(chances));
  bars.replaceChildren();
  $('.hint').textContent = '';
  if (!chances) {
    $('.before').textContent = '';
    $('.said').textContent = value.partial ? '' : 'Click a token: what was it drawn from?';
    return;
  }
  $('.before').textContent = `…${value.tokens.slice(Math.max(0, at - 16), at).join('').replace(/\n+/g, '↵').slice(-22)}▁`;
  const cost = value.nats[at];
  $('.said').textContent = `${{ g: 'given', m: 'drawn from', a: 'asked for' }[value.kinds[at]]}: p = ${percent(Math.exp(-cost))}, ${cost.toFixed(1)} nats`;
  const most = Math.max(...chances.map(([, p, q]) => Math.max(p, q)), 1e-9);
  for (const [token, p, q] of chances) {
    const row = Object.assign(document.createElement('button'), { type: 'button', className: q > 0 ? 'kept' : 'cut' });
    row.title = `${percent(p)} as the model says; ${percent(q)} after temperature and top-p. Click: go on from there`;
    if (token === value.tokens[at]) row.classList.add('own');
    const name = Object.assign(document.createElement('b'), { textContent: shown(token) });
    const line = Object.assign(document.createElement('i'));
    line.append(Object.assign(document.createElement('u'), { className: 'q' }), Object.assign(document.createElement('u'), { className: 'p' }));
    line.children[0].style.width = `${100 * q / most}%`;
    line.children[1].style.width = `${100 * p / most}%`;
    row.append(name, line, Object.assign(document.createElement('span'), { textContent: percent(q) }));
    row.onclick = () => go(value.tokens.slice(0, at).join('') + token);
    bars.appendChild(row);
  }
  $('.hint').textContent = 'bar: after temperature and top-p; line: as the model says. Click another token to go on from there.';
}
function pick(to) {
  if (!value?.tokens.length) return;
  at = Math.max(0, Math.min(value.tokens.length - 1, to));
  sheet.querySelector('.here')?.classList.remove('here');
  sheet.children[at].classList.add('here');
  sheet.children[at].scrollIntoView({ block: 'nearest' });
  side();
}
// Texts as a tree: each hangs below the one that it shares its beginning with, and says what follows from there.
function keep() {
  const text = value.tokens.join('');
  if (kept.length < MOST && !kept.some((each) => each.text === text)) {
    const common = kept.map((each) => { let n = 0; while (n < text.length && each.text[n] === text[n]) n += 1; return n; });
    const at = Math.max(0, ...common);
    kept.push({ value, text, at, parent: at ? common.indexOf(at) : -1 });
  }
  const hang = (parent) => {
    const list = document.createElement('ul');
    kept.forEach((each, i) => {
      if (each.parent !== parent) return;
      const item = document.createElement('li'), button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-current', each.text === text);
      const from = Math.max(0, each.at - 14);
      button.append(from ? '…' : '', flat(each.text.slice(from, each.at)), Object.assign(document.createElement('b'), { textContent: flat(each.text.slice(each.at, each.at + 46)) }), '…');
      button.onclick = () => { value = each.value; at = null; draw(); dgm.here(value.link); keep(); };
      item.append(button);
      const below = hang(i);
      if (below.children.length) item.append(below);
      list.append(item);
    });
    return list;
  };
  $('.branches').hidden = kept.length < 2;
  $('.branches div').replaceChildren(hang(-1));
}
const flat = (text) => text.replace(/\n+/g, ' ↵ ');
// Another text to go on from.
function go(text, back = false) {
  if (!value) return;
  if (!back) past.push(value.given);
  $('.undo').disabled = !past.length;
  at = null;
  props.value = { go: text };
  trigger('click');
}
async function take() {
  if (props.value?.stored) props.value = await dgm.fetched(props.value);
  const given = props.value;
  if (given?.link && !given.made && dgm.awaits(given.link)) { $('.said').textContent = 'opening what the link names ...'; return; }
  if (!given?.tokens || (value && value.made && value.made === given.made)) return;
  if (held !== null && given.partial && given.tokens.join('').startsWith(held)) return;
  held = null;
  const fresh = !value || value.tokens[at] !== given.tokens[at] || given.partial;
  value = given;
  if (fresh) at = null;
  $('.stop').hidden = !value.partial;
  box.dataset.partial = value.partial ? 'yes' : 'no';
  const [first, ...rest] = (value.receipt || '').split(' · ');
  $('.receipt summary').textContent = first;
  $('.receipt p').textContent = rest.join(' · ');
  if (!value.partial && at === null && value.chances) at = value.show ?? null;
  draw();
  if (!value.partial) {
    box.dataset.link = value.link || '';
    box.dataset.shown = Number(box.dataset.shown || 0) + 1;
    if (value.link) dgm.here(value.link, Boolean(value.made));
    keep();
  }
}
sheet.addEventListener('click', (event) => { if (event.target.dataset.at) pick(Number(event.target.dataset.at)); });
sheet.addEventListener('keydown', (event) => {
  const here = at ?? value?.tokens.length ?? 0, to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: Infinity }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  pick(to);
});
$('.go').addEventListener('click', () => go(value.tokens.join('')));
$('.undo').addEventListener('click', () => go(past.pop(), true));
$('.stop').addEventListener('click', () => { $('.stop').hidden = true; box.dataset.partial = 'no'; value = { ...value, partial: false }; held = value.tokens.join(''); draw(); trigger('stop'); });
$('.txt').addEventListener('click', (event) => {
  event.preventDefault();
  const file = URL.createObjectURL(new Blob([value.tokens.join('') + '\n'], { type: 'text/plain;charset=utf-8' }));
  Object.assign(document.createElement('a'), { href: file, download: `${value.name || 'text'}.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(file), 1000);
});
$('.link').addEventListener('click', () => dgm.copy(value.link, $('.link')));
watch('value', take);
take();
