// Copying text, also on plain http where navigator.clipboard does not exist.

export async function copyText(text) {
  if (globalThis.isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused or unfocused: the older way below may still be allowed.
    }
  }
  return copyBySelection(text);
}

function copyBySelection(text) {
  const back = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'offscreen';
  // Inside an open modal dialog everything else is inert and cannot be selected.
  const host = document.querySelector('dialog[open]') ?? document.body;
  host.append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    back?.focus?.({ preventScroll: true });
  }
}
