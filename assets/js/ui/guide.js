// The way to the guide sheet (ui/guide-sheet.js), which is loaded with its words when it is opened.

import { t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { fetchLateWords } from './language.js';
import { toast } from './toast.js';

export const openGuide = oneAtATime(async (site) => {
  try {
    const [{ openGuideSheet }] = await Promise.all([import('./guide-sheet.js'), fetchLateWords()]);
    await openGuideSheet(site);
  } catch {
    toast(t('app.failed'));
  }
});
