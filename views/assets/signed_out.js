// Goes on when every frame has loaded, which the page's own load event waits for, and after five seconds at the latest.
const goOn = () => window.location.replace(document.getElementById('continue').href);
const patience = setTimeout(goOn, 5000);
const loaded = () => {
  clearTimeout(patience);
  goOn();
};
if (document.readyState === 'complete') loaded();
else window.addEventListener('load', loaded);
