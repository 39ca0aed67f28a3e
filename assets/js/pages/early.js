// Runs before the first paint (a classic script, not a module): puts the chosen
// theme and language on the root element, and keeps the text hidden until the
// page's module has put it into that language. Nothing else belongs here.

(function early() {
  const root = document.documentElement;
  const read = (key) => {
    try {
      return JSON.parse(localStorage.getItem(`miyu.${key}`));
    } catch {
      return null;
    }
  };
  const theme = read('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  root.dataset.siteLang = root.lang;
  root.classList.add('loading');
  // Should a module fail to load, the text in the HTML is better than nothing.
  setTimeout(() => root.classList.remove('loading'), 1500);
})();
