// The service worker's own address: which version of the files it is for, and whether
// the operator wants one. What it does is in js/worker/worker.js.

import { leave, serve } from '{{base}}/js/worker/worker.js';

if ('{{worker}}' === 'on') serve('{{base}}');
else leave();
