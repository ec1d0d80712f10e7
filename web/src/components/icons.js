/* Icons: strokes on a 24 x 24 grid, in the colour of the text around them. They are decoration; the
 * button that holds one carries its name. */

import { html } from "../html.js";

const PATHS = {
    sidebar: "M5 4.5h14a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 18V6A1.5 1.5 0 0 1 5 4.5zM9.5 4.5v15",
    compose: "M12 5v14M5 12h14",
    search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20 20",
    tune: "M4 8h8M18 8h2M4 16h2M12 16h8M15 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM9 13.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
    settings: "M12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2",
    models: "M12 3.5 20 8v8l-8 4.5L4 16V8zM4.3 8.2 12 12.5l7.7-4.3M12 12.5v7.7",
    server: "M4.5 5h15v5.5h-15zM4.5 13.5h15V19h-15zM8 7.8v.1M8 16.2v.1",
    activity: "M3.5 12.5H8l2.5-7 3.5 13 2.5-6h4",
    send: "M12 19V6M6 11.5 12 5.5l6 6",
    stop: "M8 8h8v8H8z",
    copy: "M9 9h10v10H9zM15 9V5H5v10h4",
    check: "m5 12.5 4.5 4.5L19 7.5",
    redo: "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
    edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7",
    previous: "m14 6-6 6 6 6",
    next: "m10 6 6 6-6 6",
    forward: "M6 6l6 6-6 6M13 6l6 6-6 6",
    close: "M6 6l12 12M18 6 6 18",
    down: "M12 5v14M6 13l6 6 6-6",
    chevron: "m7 10 5 5 5-5",
    help: "M9 9.2a3 3 0 1 1 4.6 2.5c-1 .7-1.6 1.2-1.6 2.3M12 17.5v.1",
    warning: "M12 4 3 19.5h18zM12 10v4.5M12 17v.1",
    more: "M6 12h.1M12 12h.1M18 12h.1",
    pin: "M9 4h6l-.7 6 3.2 3.5h-11L9.7 10zM12 13.500V20",
    folder: "M3.5 18.500v-12h6l2 2.500h9v9.500z",
    fork: "M7 4v16M7 14c0-4 10-2 10-7M17 4.500v5M14.5 7 17 4.3 19.5 7",
    attach: "m8 12.5 6-6a2.8 2.8 0 0 1 4 4l-7.5 7.500a4.5 4.5 0 0 1-6.4-6.400L11.5 4.5",
    workspace: "M4 8h16v11H4zM9 8V5.500h6V8M4 12.500h16",
    quote: "M5 17v-5l2.500-5M5 12h4.500v5H5M13.500 17v-5L16 7M13.500 12H18v5h-4.500",
    original: "M13.500 5H19v5.500M19 5l-8 8M17 14v5H5V7h5",
    file: "M7 3.500h7l4 4v13H7zM14 3.500v4h4",
    report: "M6 3.500h12v17H6zM9 8h6M9 12h6M9 16h3",
    download: "M12 4v11M7 10.500l5 5 5-5M5 19.500h14",
    pause: "M9 6.500v11M15 6.500v11",
    play: "M8.5 6.500v11l9-5.500z",
    tool: "M14.5 6.500a4 4 0 0 1 5-1l-2.5 2.5 1 2 2 .5 1-2a4 4 0 0 1-5.5 4L9 19.5 5.5 16l7-6.500a4 4 0 0 1 2-3z",
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {{ name: IconName }} props */
export function Icon({ name }) {
    return html`<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <path d=${PATHS[name]} /></svg>`;
}

/** @param {{ icon: IconName, label: string, onClick(event: Event): void, class?: string,
 *   disabled?: boolean, pressed?: boolean }} props */
export function IconButton({ icon, label, onClick, class: name = "", disabled, pressed }) {
    return html`<button type="button" class="icon-button ${name}" aria-label=${label} title=${label}
        disabled=${disabled} aria-pressed=${pressed} onClick=${onClick}><${Icon} name=${icon} /></button>`;
}

/** The mark: an arch with a light in it. */
export function Mark() {
    return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <path d="M4 27V16a12 12 0 0 1 24 0v11a1.5 1.5 0 0 1-1.5 1.5h-4A1.5 1.5 0 0 1 21 27v-8a5 5 0 0 0-10 0v8a1.5 1.5 0 0 1-1.5 1.5h-4A1.5 1.5 0 0 1 4 27z" />
        <circle cx="16" cy="25" r="3" /></svg>`;
}
