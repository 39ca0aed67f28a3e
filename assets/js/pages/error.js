// The calm page for an address that does not exist: only its language.

import { startWorker } from '../lib/worker.js';
import { mountAppbar } from '../ui/appbar.js';

mountAppbar();
startWorker();
