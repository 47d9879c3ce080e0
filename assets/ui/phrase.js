// A caption as it is typed: words that the model does not know are crossed out below it, and those that may follow are offered.
const root = element.querySelector('.dgm-phrase'), area = root.querySelector('textarea'), said = root.querySelector('.said'), next = root.querySelector('.next');
const follows = new Map(Object.entries(JSON.parse(root.dataset.words))), words = [...follows.keys()].filter(Boolean), OFFERED = 8;
const NUMERALS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const parts = (text) => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || []).map((word) => /^[0-9]$/.test(word) ? NUMERALS[word] : word);
// The word that is being typed, where it may still become one that is known.
function begun() {
  const before = area.value.slice(0, area.selectionEnd), word = /[\p{L}\p{N}]$/u.test(before) ? parts(before).at(-1) : '';
  return word && !follows.has(word) && words.some((each) => each.startsWith(word)) ? word : '';
}
function look() {
  const typed = document.activeElement === area ? begun() : '';
  const strange = [...new Set(parts(area.value).filter((word) => !follows.has(word) && word !== typed))];
  const text = strange.join(' ');
  if (said.dataset.of !== text) {
    said.dataset.of = text;
    said.replaceChildren();
    strange.forEach((word) => said.append(Object.assign(document.createElement('del'), { textContent: word }), ' '));
    if (text) said.append(strange.length > 1 ? 'are' : 'is', ` not among the ${words.length} words that it knows`);
  }
  offer();
}
// What may come next: the rest of a word that was begun, or a word that captions have after the last one.
function offer() {
  const all = parts(area.value.slice(0, area.selectionEnd)), word = begun();
  if (word) all.pop();
  const likely = follows.get(all.at(-1) || '') || [];
  const found = word ? [...new Set([...likely, ...words])].filter((each) => each.startsWith(word)) : likely;
  next.replaceChildren(...found.slice(0, OFFERED).map((each) => {
    const made = Object.assign(document.createElement('button'), { type: 'button', textContent: each });
    made.onclick = () => take(each, word);
    return made;
  }));
}
function take(word, begun) {
  const at = area.selectionEnd, before = area.value.slice(0, at - begun.length), gap = before && !/\s$/.test(before) ? ' ' : '';
  area.value = `${before}${gap}${word} ${area.value.slice(at).trimStart()}`.slice(0, Number(root.dataset.most));
  area.selectionStart = area.selectionEnd = before.length + gap.length + word.length + 1;
  area.focus();
  props.value = area.value;
  look();
}
area.addEventListener('input', () => { props.value = area.value; look(); });
area.addEventListener('blur', look);
for (const name of ['click', 'keyup']) area.addEventListener(name, offer);
area.addEventListener('keydown', (event) => {
  event.stopPropagation();
  if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); props.value = area.value; trigger('input'); }
  if (event.key === 'Tab' && !event.shiftKey && begun() && next.firstChild) { event.preventDefault(); next.firstChild.click(); }
});
function show() {
  if (typeof props.value !== 'string' || document.activeElement === area && props.value === area.value) return;
  area.value = props.value;
  look();
}
watch('value', show);
show();
