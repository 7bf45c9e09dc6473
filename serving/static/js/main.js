// What the pages do beyond what the server wrote: each part starts once and sees every page that is shown.
import { start as startNavigation } from "./navigation.js";

startNavigation();
