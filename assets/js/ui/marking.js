// Marking the words of one message on a touch screen, where a long press opens
// its menu instead. While they are marked, the finger is the browser's.

/** Selects all words of a message; from there the browser's own handles go on. */
export function markWords(message) {
  const bubble = message.querySelector('.bubble');
  const words = message.querySelector('.bubble-text');
  const selection = getSelection();
  if (!words || !selection) return;
  bubble.classList.add('is-marking');
  selection.selectAllChildren(words);
  const ended = () => {
    if (!selection.isCollapsed && bubble.contains(selection.anchorNode)) return;
    document.removeEventListener('selectionchange', ended);
    bubble.classList.remove('is-marking');
  };
  document.addEventListener('selectionchange', ended);
}

/** Whether the words under the finger are being marked. */
export const isMarking = (node) => Boolean(node.closest?.('.is-marking'));
