// Keeps the conversation above the phone's keyboard where the browser does not
// do it (interactive-widget is not known everywhere): the visible height goes
// into a custom property that the room's layout uses.

const keyboardAtLeast = 80;

export function followKeyboard() {
  const view = globalThis.visualViewport;
  if (!view) return;
  const root = document.documentElement;
  const follow = () => {
    const covered = innerHeight - view.height;
    // A pinch zoom also makes the view smaller; that is not a keyboard.
    if (view.scale > 1.01 || covered < keyboardAtLeast) {
      root.style.removeProperty('--view');
      return;
    }
    root.style.setProperty('--view', `${Math.round(view.height)}px`);
    scrollTo(0, 0);
  };
  view.addEventListener('resize', follow);
}
