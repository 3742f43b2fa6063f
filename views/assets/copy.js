// A button beside each error id and command that copies it. Only where the browser lets a page write the clipboard.
for (const box of navigator.clipboard ? document.querySelectorAll('[data-copy]') : []) {
  const { copy, copied, what } = box.dataset;
  const text = box.querySelector('code').textContent;
  const button = document.createElement('button');
  const face = document.createElement('span');
  const purpose = document.createElement('span');
  const status = document.createElement('span');
  let timer;

  const say = (done) => {
    face.textContent = done ? copied : copy;
    status.textContent = done ? copied : '';
  };

  button.type = 'button';
  button.className = 'copy';
  purpose.className = status.className = 'unseen';
  purpose.textContent = ` ${what}`;
  status.setAttribute('role', 'status');
  say(false);
  button.append(face, purpose);
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    say(true);
    clearTimeout(timer);
    timer = setTimeout(say, 2000, false);
  });
  box.append(button, status);
}
