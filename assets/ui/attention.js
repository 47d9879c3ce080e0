// What a head hears: for the token that one points at, how much each of those before it counted when it was foretold.
const box = element.querySelector('.dgm-attention'), $ = (name) => box.querySelector(name), sheet = $('.sheet');
let value = null, shares = null, at = 0, head = [0, 0];

// How much token `from` counted for token `to`; the first key is the start of the text.
function share(to, from) {
  const n = value.tokens.length, [block, one] = head;
  return shares[((block * value.heads + one) * n + to) * n + from + 1] / 255;
}
function choose() {
  const rows = $('.heads');
  rows.replaceChildren();
  for (let block = 0; block < value.blocks; block++) {
    const row = Object.assign(document.createElement('div'), { textContent: `block ${block + 1}` });
    for (let one = 0; one < value.heads; one++) {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: one + 1 });
      button.setAttribute('role', 'radio');
      button.setAttribute('aria-label', `block ${block + 1}, head ${one + 1}`);
      button.setAttribute('aria-checked', String(block === head[0] && one === head[1]));
      button.onclick = () => { head = [block, one]; choose(); draw(); rows.querySelector('[aria-checked=true]').focus(); };
      row.appendChild(button);
    }
    rows.appendChild(row);
  }
}
function draw() {
  let most = 0, loudest = -1;
  for (let i = 0; i < at; i++) if (share(at, i) > most) { most = share(at, i); loudest = i; }
  [...sheet.children].forEach((piece, i) => {
    piece.className = i === at ? 'here' : i > at ? 'later' : '';
    piece.style.setProperty('--heard', i < at ? Math.sqrt(share(at, i)) : 0);
  });
  const shown = (token) => `“${token.replace(/\n/g, '↵')}”`;
  $('.said').textContent = loudest < 0 ? 'nothing stands before it' :
    `foretelling ${shown(value.tokens[at])}, it listens most to ${shown(value.tokens[loudest])}, ${at - loudest} before: ${Math.round(100 * most)} %; to the start of the text ${Math.round(100 * share(at, -1))} %`;
}
function pick(to) { at = Math.max(0, Math.min(value.tokens.length - 1, to)); draw(); }
async function take() {
  if (props.value?.stored) props.value = await dgm.fetched(props.value);
  const given = props.value;
  if (given?.link && !given.made && dgm.awaits(given.link)) { $('.said').textContent = 'opening what the link names ...'; return; }
  if (!given?.tokens || (value && value.made === given.made)) return;
  value = given;
  shares = Uint8Array.from(atob(given.shares), (c) => c.charCodeAt(0));
  at = Math.min(given.at, given.tokens.length - 1);
  head = head[0] < given.blocks && head[1] < given.heads && value.made ? head : given.head;
  sheet.replaceChildren(...given.tokens.map((token) => Object.assign(document.createElement('span'), { textContent: token })));
  choose(); draw();
  dgm.here(value.link, Boolean(value.made));
}
const over = (event) => { const i = [...sheet.children].indexOf(event.target); if (value && i >= 0) pick(i); };
sheet.addEventListener('pointerover', over);
sheet.addEventListener('click', over);
sheet.addEventListener('keydown', (event) => {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!move) return;
  event.preventDefault(); event.stopPropagation(); pick(at + move);
});
watch('value', take);
take();
