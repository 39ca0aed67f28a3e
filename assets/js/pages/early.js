// Runs before the first paint (a classic script, not a module): puts the chosen
// theme on the root element. Nothing else belongs here.

(function early() {
  const read = (key) => {
    try {
      return JSON.parse(localStorage.getItem(`miyu.${key}`));
    } catch {
      return null;
    }
  };
  const theme = read('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
