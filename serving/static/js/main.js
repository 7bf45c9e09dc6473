// What scripts add to the pages: each part starts once and is called for every page that is shown.
import { start as startChanges } from "./changes.js";
import { start as startCharts } from "./charts.js";
import { start as startClock } from "./clock.js";
import { start as startCopying } from "./copying.js";
import { start as startLive } from "./live.js";
import { start as startFilters } from "./filters.js";
import { start as startNavigation } from "./navigation.js";
import { start as startPreparing } from "./preparing.js";
import { start as startRefresh } from "./refresh.js";
import { start as startState } from "./state.js";
import { start as startTables } from "./tables.js";

// The state of the figures is known before anything requests newer figures.
startClock();
startState();
startLive();
startRefresh();
startPreparing();
startChanges();
startCharts();
startNavigation();
startFilters();
startCopying();
startTables();
