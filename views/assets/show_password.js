// A button in each password field that shows what was typed. Its icon is drawn by the style sheet.
for (const control of document.querySelectorAll('[data-show]')) {
  const input = control.querySelector('input');
  const button = document.createElement('button');

  const show = (shown) => {
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
  };

  button.type = 'button';
  button.className = 'eye';
  button.setAttribute('aria-label', control.dataset.show);
  button.setAttribute('aria-controls', input.id);
  button.addEventListener('click', () => show(input.type === 'password'));
  show(false);
  control.append(button);

  // Sent as a password, so that the browser does not keep it among the texts it suggests.
  input.form.addEventListener('submit', () => show(false));
}
